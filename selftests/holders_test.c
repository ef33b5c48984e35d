// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who holds what: every number that is told of a buffer, against what the test
 * itself did to it; and that it is told to whom it concerns, and nobody else.
 */
#include <fcntl.h>
#include <kselftest_harness.h>
#include <linux/dma-buf.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>

#include "peerbuf_lib.h"

#define RW		(PROT_READ | PROT_WRITE)
#define LENGTH		KIB(64)
#define NOWAIT		PEERBUF_REVOKE_NOWAIT
#define ANY_CLASS	(PEERBUF_EXPORT_ALLOW_PINNED | \
			 PEERBUF_EXPORT_ALLOW_STATIC)
#define BOTH		(PEERBUF_ACCESS_READ | PEERBUF_ACCESS_WRITE)
#define NOBODY		65534
#define MS		1000000ULL	/* nanoseconds */

/* What the times are on. */
static __u64 now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

FIXTURE(holders) {
	struct pb_device provider;
	struct pb_device importer;
	int node;
	int test;
	struct pb_state start;
};

FIXTURE_SETUP(holders)
{
	self->provider = pb_provider(0);
	self->importer = pb_usable_importer(&self->provider);
	self->node = must(pb_open_node(&self->provider, O_RDWR));
	self->test = must(pb_open_test());
	self->start = pb_state(&self->provider, -1);
	must(pb_allow_static(&self->provider, 0, 1));
}

FIXTURE_TEARDOWN(holders)
{
	struct pb_state end = pb_state(&self->provider, -1);

	EXPECT_TRUE(pb_same_state(&self->start, &end))
		TH_LOG("the test has left traces");
	must(pb_allow_static(&self->provider, 0, 0));
	close(self->test);
	close(self->node);
}

static int export(const FIXTURE_DATA(holders) *self, unsigned int flags,
		  __u64 *id)
{
	return must(pb_export_at(self->node, flags, MIB(4), LENGTH, id));
}

static struct peerbuf_buffer_entry look(const FIXTURE_DATA(holders) *self,
					__u64 id)
{
	struct peerbuf_buffer_entry entry;

	must(pb_find_buffer(self->node, id, &entry));
	return entry;
}

static unsigned int attach(const FIXTURE_DATA(holders) *self, int dmabuf,
			   unsigned int kind, unsigned int delay_ms)
{
	unsigned int handle;

	must(pb_test_attach(self->test, dmabuf, &self->importer, kind,
			    delay_ms, &handle));
	return handle;
}

static void map(const FIXTURE_DATA(holders) *self, unsigned int handle)
{
	must(pb_test_call(self->test, PEERBUF_TEST_MAP, handle));
}

static void unmap(const FIXTURE_DATA(holders) *self, unsigned int handle)
{
	must(pb_test_call(self->test, PEERBUF_TEST_UNMAP, handle));
}

static void detach(const FIXTURE_DATA(holders) *self, unsigned int handle)
{
	must(pb_test_call(self->test, PEERBUF_TEST_DETACH, handle));
}

TEST_F(holders, new_buffer)
{
	const struct peerbuf_range ranges[2] = {
		{ MIB(4), PAGE }, { MIB(6), KIB(8) },
	};
	const unsigned int flags = PEERBUF_EXPORT_SHARED |
				   PEERBUF_EXPORT_DIRECT;
	struct peerbuf_buffer_entry entry;
	__u64 id, before = now_ns();
	int dmabuf;

	prctl(PR_SET_NAME, "the owner");
	dmabuf = must(pb_export_ranges(self->node, flags, ranges, 2, 0, &id));
	entry = look(self, id);

	EXPECT_EQ(KIB(12), entry.length);
	EXPECT_EQ(2, entry.nr_ranges);
	EXPECT_EQ(0, entry.window);
	EXPECT_EQ(0, entry.flags);
	EXPECT_EQ(flags, entry.export_flags);
	EXPECT_EQ(getpid(), entry.pid);
	EXPECT_EQ(0, entry.uid);
	EXPECT_STREQ("the owner", entry.comm);
	EXPECT_LE(before, entry.created);
	EXPECT_GE(now_ns(), entry.created);
	EXPECT_LE(1, entry.generation);

	EXPECT_EQ(0, entry.nr_importers);
	EXPECT_EQ(0, entry.nr_maps);
	EXPECT_EQ(0, entry.mapped);
	EXPECT_EQ(0, entry.nr_cpu_maps);
	EXPECT_EQ(0, entry.cpu_mapped);
	EXPECT_EQ(0, entry.nr_kernel_maps);
	EXPECT_EQ(0, entry.revoked);
	EXPECT_EQ(0, entry.revoke_ns);
	EXPECT_EQ(0, pb_holders(self->node, id, NULL, 0));

	close(dmabuf);
	EXPECT_EQ(-ENOENT, pb_find_buffer(self->node, id, &entry));
	EXPECT_EQ(-ENOENT, pb_holders(self->node, id, NULL, 0));
}

TEST_F(holders, pooled_buffer)
{
	int pool = must(pb_pool(self->node, MIB(8), MIB(1)));
	struct peerbuf_buffer_entry entry;
	__u64 id;
	int dmabuf = must(pb_alloc(pool, LENGTH, &id));

	entry = look(self, id);
	EXPECT_EQ(PEERBUF_BUFFER_POOLED, entry.flags);
	EXPECT_EQ(LENGTH, entry.length);
	close(pool);
	entry = look(self, id);
	EXPECT_EQ(PEERBUF_BUFFER_POOLED | PEERBUF_BUFFER_REVOKED, entry.flags);
	EXPECT_NE(0, entry.revoked);
	EXPECT_NE(0, entry.revoke_ns);
	close(dmabuf);
}

/* The buffer of another, who has no rights of his own, and is gone. */
TEST_F(holders, another_process)
{
	struct peerbuf_buffer_entry entry;
	__u64 *id = mmap(NULL, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int sockets[2], dmabuf;
	pid_t child;

	ASSERT_NE(MAP_FAILED, id);
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	child = pb_fork();
	if (!child) {
		pb_become_nobody();
		prctl(PR_SET_NAME, "quite a long name");
		must(pb_send_fd(sockets[1], export(self, 0, id)));
		_exit(0);
	}
	dmabuf = must(pb_receive_fd(sockets[0]));
	entry = look(self, *id);
	EXPECT_EQ(child, entry.pid);
	EXPECT_EQ(0, pb_join(child));
	entry = look(self, *id);
	EXPECT_EQ(child, entry.pid);
	EXPECT_EQ(NOBODY, entry.uid);
	EXPECT_STREQ("quite a long na", entry.comm);
	close(dmabuf);
	close(sockets[0]);
	close(sockets[1]);
	munmap(id, PAGE);
}

/* Who is in a pid namespace of its own cannot be told of a process outside. */
TEST_F(holders, other_namespaces)
{
	__u64 id;
	int dmabuf = export(self, 0, &id);
	pid_t child = pb_fork();

	if (!child) {
		bool hidden = pb_sandbox();
		pid_t inner = pb_fork();

		if (!inner)
			_exit(look(self, id).pid == 0 ? 0 : 1);
		_exit(pb_join(inner) == (hidden ? 0 : 1) ? 0 : 1);
	}
	EXPECT_EQ(0, pb_join(child));
	close(dmabuf);
}

static void expect_holder(struct __test_metadata *_metadata,
			  const FIXTURE_DATA(holders) *self,
			  const struct peerbuf_holder_entry *holder,
			  unsigned int class, bool mapped)
{
	struct peerbuf_verdict verdict;

	must(pb_route(&self->provider.function, &self->importer.function,
		      &verdict));
	EXPECT_EQ(class, holder->importer_class);
	EXPECT_STREQ(self->importer.name, holder->device);
	EXPECT_EQ(PEERBUF_HOLDER_PCI, holder->flags);
	EXPECT_TRUE(pb_same_function(&self->importer.function,
				     &holder->function));
	EXPECT_EQ(verdict.route, holder->verdict.route);
	EXPECT_EQ(verdict.reason, holder->verdict.reason);
	EXPECT_EQ(verdict.distance, holder->verdict.distance);
	EXPECT_EQ(mapped, holder->nr_maps);
	EXPECT_EQ(mapped ? LENGTH : 0, holder->mapped);
	EXPECT_EQ(mapped ? BOTH : 0, holder->access);
	EXPECT_EQ(mapped, !!holder->since);
}

TEST_F(holders, importers_of_every_class)
{
	static const struct {
		unsigned int kind;
		unsigned int class;
		bool mapped;
	} table[] = {
		{ PEERBUF_TEST_REVOCABLE, PEERBUF_CLASS_REVOCABLE, true },
		{ PEERBUF_TEST_PINNED, PEERBUF_CLASS_PINNED, true },
		{ PEERBUF_TEST_SLOW, PEERBUF_CLASS_REVOCABLE, false },
		{ PEERBUF_TEST_STATIC, PEERBUF_CLASS_STATIC, true },
	};
	struct peerbuf_holder_entry holders[ARRAY_SIZE(table)];
	unsigned int handles[ARRAY_SIZE(table)];
	struct peerbuf_buffer_entry entry;
	__u64 id;
	int dmabuf = export(self, ANY_CLASS, &id);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(table); i++) {
		handles[i] = attach(self, dmabuf, table[i].kind, 0);
		if (table[i].mapped)
			map(self, handles[i]);
	}
	entry = look(self, id);
	EXPECT_EQ(4, entry.nr_importers);
	EXPECT_EQ(3, entry.nr_maps);
	EXPECT_EQ(3 * LENGTH, entry.mapped);
	ASSERT_EQ(4, pb_holders(self->node, id, holders, 4));
	for (i = 0; i < ARRAY_SIZE(table); i++)
		expect_holder(_metadata, self, &holders[i], table[i].class,
			      table[i].mapped);

	/* One lets go, one leaves. */
	unmap(self, handles[1]);
	detach(self, handles[2]);
	ASSERT_EQ(3, pb_holders(self->node, id, holders, 4));
	expect_holder(_metadata, self, &holders[0], PEERBUF_CLASS_REVOCABLE,
		      true);
	expect_holder(_metadata, self, &holders[1], PEERBUF_CLASS_PINNED,
		      false);
	expect_holder(_metadata, self, &holders[2], PEERBUF_CLASS_STATIC, true);

	detach(self, handles[0]);
	detach(self, handles[1]);
	detach(self, handles[3]);
	entry = look(self, id);
	EXPECT_EQ(0, entry.nr_importers);
	EXPECT_EQ(0, entry.nr_maps);
	close(dmabuf);
}

TEST_F(holders, since_the_first_of_the_present_maps)
{
	struct peerbuf_holder_entry holder;
	__u64 id, before, first;
	int dmabuf = export(self, 0, &id);
	unsigned int handle = attach(self, dmabuf, PEERBUF_TEST_REVOCABLE, 0);

	before = now_ns();
	map(self, handle);
	must(pb_holders(self->node, id, &holder, 1));
	first = holder.since;
	EXPECT_LE(before, first);
	EXPECT_GE(now_ns(), first);

	pb_sleep_ms(20);
	must(pb_holders(self->node, id, &holder, 1));
	EXPECT_EQ(first, holder.since);

	unmap(self, handle);
	before = now_ns();
	map(self, handle);
	must(pb_holders(self->node, id, &holder, 1));
	EXPECT_LE(before, holder.since);
	detach(self, handle);
	close(dmabuf);
}

/* A drive tells the direction of its DMA. */
TEST_F(holders, directions)
{
	static const struct {
		unsigned int direction;
		unsigned int access;
	} table[] = {
		{ PEERBUF_NVME_TO_DRIVE, PEERBUF_ACCESS_READ },
		{ PEERBUF_NVME_FROM_DRIVE, PEERBUF_ACCESS_WRITE },
		{ PEERBUF_NVME_BOTH, BOTH },
	};
	struct peerbuf_holder_entry holder;
	struct pb_device drive = pb_drive(0);
	unsigned int handle;
	int nvme, dmabuf;
	size_t i;
	__u64 id;

	nvme = must(pb_open_nvme(&drive, O_RDWR));
	dmabuf = export(self, 0, &id);
	for (i = 0; i < ARRAY_SIZE(table); i++) {
		if (pb_nvme_import(nvme, dmabuf, table[i].direction, &handle)) {
			close(nvme);
			close(dmabuf);
			SKIP(return, "no route to the drive");
		}
		ASSERT_EQ(1, pb_holders(self->node, id, &holder, 1));
		EXPECT_EQ(table[i].access, holder.access);
		EXPECT_EQ(1, holder.nr_maps);
		EXPECT_STREQ(drive.name, holder.device);
		EXPECT_EQ(PEERBUF_CLASS_REVOCABLE, holder.importer_class);
		must(pb_nvme_release(nvme, handle));
	}
	close(nvme);
	close(dmabuf);
}

static void expect_cpu(struct __test_metadata *_metadata,
		       const FIXTURE_DATA(holders) *self, __u64 id,
		       unsigned int nr, size_t bytes, const char *when)
{
	struct peerbuf_buffer_entry entry = look(self, id);

	EXPECT_EQ(nr, entry.nr_cpu_maps)
		TH_LOG("%s", when);
	EXPECT_EQ(bytes, entry.cpu_mapped)
		TH_LOG("%s", when);
}

TEST_F(holders, cpu_mappings)
{
	__u64 id;
	int dmabuf = export(self, 0, &id);
	char *memory = pb_map(dmabuf, 0, LENGTH, RW);
	char *second, *moved;

	expect_cpu(_metadata, self, id, 1, LENGTH, "mmap");
	second = pb_map(dmabuf, PAGE, KIB(8), PROT_READ);
	expect_cpu(_metadata, self, id, 2, LENGTH + KIB(8), "a second one");
	munmap(second, KIB(8));
	expect_cpu(_metadata, self, id, 1, LENGTH, "munmap");

	/* three areas of one, and a hole in the middle */
	ASSERT_EQ(0, mprotect(memory + KIB(16), KIB(16), PROT_READ));
	expect_cpu(_metadata, self, id, 3, LENGTH, "split");
	munmap(memory + KIB(16), KIB(16));
	expect_cpu(_metadata, self, id, 2, LENGTH - KIB(16), "hole");

	moved = mmap(NULL, KIB(16), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		     0);
	ASSERT_NE(MAP_FAILED, moved);
	ASSERT_EQ(moved, mremap(memory, KIB(16), KIB(16),
				MREMAP_MAYMOVE | MREMAP_FIXED, moved));
	expect_cpu(_metadata, self, id, 2, LENGTH - KIB(16), "move");
	munmap(moved, KIB(16));
	expect_cpu(_metadata, self, id, 1, KIB(32), "munmap of what moved");
	munmap(memory + KIB(32), KIB(32));
	expect_cpu(_metadata, self, id, 0, 0, "nothing");
	close(dmabuf);
}

TEST_F(holders, cpu_mappings_of_a_child)
{
	__u64 id;
	int dmabuf = export(self, 0, &id);
	char *memory = pb_map(dmabuf, 0, LENGTH, RW);
	int there[2], back[2];
	char byte = 'x';
	pid_t child;

	ASSERT_EQ(0, pipe(there));
	ASSERT_EQ(0, pipe(back));
	child = pb_fork();
	if (!child) {
		must(read(there[0], &byte, 1));
		munmap(memory, PAGE);
		must(write(back[1], &byte, 1));
		must(read(there[0], &byte, 1));
		_exit(0);
	}
	expect_cpu(_metadata, self, id, 2, 2 * LENGTH, "fork");
	must(write(there[1], &byte, 1));
	must(read(back[0], &byte, 1));
	expect_cpu(_metadata, self, id, 2, 2 * LENGTH - PAGE, "child's munmap");
	munmap(memory, LENGTH);
	expect_cpu(_metadata, self, id, 1, LENGTH - PAGE, "child alone");

	/* a revoke empties address spaces, and leaves the areas */
	EXPECT_EQ(0, pb_revoke(self->node, id, 0));
	expect_cpu(_metadata, self, id, 1, LENGTH - PAGE, "revoke");
	must(write(there[1], &byte, 1));
	EXPECT_EQ(0, pb_join(child));
	expect_cpu(_metadata, self, id, 0, 0, "child's exit");
	close(dmabuf);
	close(there[0]);
	close(there[1]);
	close(back[0]);
	close(back[1]);
}

TEST_F(holders, kernel_mappings)
{
	unsigned int first, second;
	__u64 id;
	int dmabuf = export(self, PEERBUF_EXPORT_ALLOW_PINNED, &id);

	must(pb_test_vmap(self->test, dmabuf, &first));
	EXPECT_EQ(1, look(self, id).nr_kernel_maps);
	must(pb_test_vmap(self->test, dmabuf, &second));
	EXPECT_EQ(2, look(self, id).nr_kernel_maps);
	must(pb_test_call(self->test, PEERBUF_TEST_VUNMAP, first));
	EXPECT_EQ(1, look(self, id).nr_kernel_maps);
	must(pb_test_call(self->test, PEERBUF_TEST_VUNMAP, second));
	EXPECT_EQ(0, look(self, id).nr_kernel_maps);
	close(dmabuf);
}

static __u64 longest_revoke(int node)
{
	struct peerbuf_buffers_query query = {
		.size = sizeof(query),
		.entry_size = sizeof(struct peerbuf_buffer_entry),
	};

	must(pb_ioctl(node, PEERBUF_IOC_BUFFERS, &query));
	return query.longest_revoke_ns;
}

/*
 * It is over when the importer lets go, not when somebody comes to see: after two
 * seconds and not the four after which the test looks, whatever a busy machine
 * loses of them.
 */
TEST_F(holders, revoke_of_a_slow_importer)
{
	struct peerbuf_buffer_entry entry;
	__u64 id, before, longest;
	int dmabuf = export(self, 0, &id);
	unsigned int handle = attach(self, dmabuf, PEERBUF_TEST_SLOW, 2000);

	map(self, handle);
	before = now_ns();
	EXPECT_EQ(-EINPROGRESS, pb_revoke(self->node, id, NOWAIT));
	entry = look(self, id);
	EXPECT_LE(before, entry.revoked);
	EXPECT_GE(now_ns(), entry.revoked);
	EXPECT_EQ(0, entry.revoke_ns);
	EXPECT_EQ(1, entry.nr_maps);

	pb_sleep_ms(4000);
	EXPECT_EQ(0, pb_revoke(self->node, id, 0));
	entry = look(self, id);
	EXPECT_EQ(PEERBUF_BUFFER_REVOKED, entry.flags);
	EXPECT_LE(1000 * MS, entry.revoke_ns);
	EXPECT_GE(3500 * MS, entry.revoke_ns);
	EXPECT_EQ(0, entry.nr_maps);
	EXPECT_EQ(1, entry.nr_importers);
	longest = longest_revoke(self->node);
	EXPECT_LE(entry.revoke_ns, longest);
	detach(self, handle);
	close(dmabuf);

	/* One that nobody uses is quick, and does not change the longest. */
	dmabuf = export(self, 0, &id);
	EXPECT_EQ(0, pb_revoke(self->node, id, 0));
	entry = look(self, id);
	EXPECT_LT(0, entry.revoke_ns);
	EXPECT_GE(1000 * MS, entry.revoke_ns);
	EXPECT_EQ(longest, longest_revoke(self->node));
	close(dmabuf);
}

TEST_F(holders, less_room_than_needed)
{
	struct peerbuf_buffer_entry buffers[3] = {};
	struct peerbuf_holder_entry holders[3] = {};
	const int before = must(pb_buffers(self->node, NULL, 0));
	unsigned int handles[3];
	int dmabufs[3];
	__u64 ids[3];
	int i;

	for (i = 0; i < 3; i++)
		dmabufs[i] = must(pb_export_at(self->node, 0, i * LENGTH,
					       LENGTH, &ids[i]));
	for (i = 0; i < 3; i++)
		handles[i] = attach(self, dmabufs[0], PEERBUF_TEST_REVOCABLE,
				    0);

	EXPECT_EQ(before + 3, pb_buffers(self->node, NULL, 0));
	EXPECT_EQ(before + 3, pb_buffers(self->node, buffers, 2));
	EXPECT_NE(0, buffers[1].id);
	EXPECT_EQ(0, buffers[2].id);
	EXPECT_EQ(3, pb_holders(self->node, ids[0], NULL, 0));
	EXPECT_EQ(3, pb_holders(self->node, ids[0], holders, 1));
	EXPECT_EQ(PEERBUF_HOLDER_PCI, holders[0].flags);
	EXPECT_EQ(0, holders[1].flags);
	EXPECT_EQ(3, pb_holders(self->node, ids[0], holders, 3));
	EXPECT_EQ(PEERBUF_HOLDER_PCI, holders[2].flags);

	for (i = 0; i < 3; i++) {
		detach(self, handles[i]);
		close(dmabufs[i]);
	}
}

/* Both arrays are of entries that may be of another version. */
TEST_F(holders, size_of_entries)
{
	struct {
		struct peerbuf_buffer_entry entry;
		char tail[64];
	} long_entries[2];
	struct peerbuf_buffers_query query = {
		.size = sizeof(query),
		.entries = (uintptr_t)long_entries,
		.nr_entries = 2,
	};
	struct peerbuf_holders_query holders = { .size = sizeof(holders) };
	int dmabufs[2];
	__u64 ids[2];
	int i;

	for (i = 0; i < 2; i++)
		dmabufs[i] = must(pb_export_at(self->node, 0, i * LENGTH,
					       LENGTH, &ids[i]));
	memset(long_entries, 0xff, sizeof(long_entries));
	query.entry_size = sizeof(long_entries[0]);
	EXPECT_EQ(0, pb_ioctl(self->node, PEERBUF_IOC_BUFFERS, &query));
	for (i = 0; i < 2; i++) {
		EXPECT_EQ(ids[i], long_entries[i].entry.id);
		EXPECT_TRUE(pb_is_zero(long_entries[i].tail, 64));
	}

	query.nr_entries = 2;
	query.entry_size = sizeof(struct peerbuf_buffer_entry) - 1;
	EXPECT_EQ(-EINVAL, pb_ioctl(self->node, PEERBUF_IOC_BUFFERS, &query));
	query.entry_size = 0;
	EXPECT_EQ(-EINVAL, pb_ioctl(self->node, PEERBUF_IOC_BUFFERS, &query));
	query.entry_size = PAGE + 8;
	EXPECT_EQ(-E2BIG, pb_ioctl(self->node, PEERBUF_IOC_BUFFERS, &query));
	query.entry_size = sizeof(struct peerbuf_buffer_entry);
	query.entries = 8;
	EXPECT_EQ(-EFAULT, pb_ioctl(self->node, PEERBUF_IOC_BUFFERS, &query));
	EXPECT_EQ(2, query.nr_entries);

	holders.id = ids[0];
	EXPECT_EQ(-EINVAL, pb_ioctl(self->node, PEERBUF_IOC_HOLDERS, &holders));
	holders.entry_size = PAGE + 8;
	EXPECT_EQ(-E2BIG, pb_ioctl(self->node, PEERBUF_IOC_HOLDERS, &holders));
	for (i = 0; i < 2; i++)
		close(dmabufs[i]);
}

static void __noreturn
lend_for_ever(const FIXTURE_DATA(holders) *self)
{
	/* of its own, which ends with it, and what is attached there as well */
	int test = must(pb_open_test());
	unsigned int handle;
	int dmabuf;

	for (;;) {
		dmabuf = must(pb_export_at(self->node, 0, MIB(8), LENGTH,
					   NULL));
		if (!pb_test_attach(test, dmabuf, &self->importer,
				    PEERBUF_TEST_REVOCABLE, 0, &handle))
			must(pb_test_call(test, PEERBUF_TEST_DETACH, handle));
		close(dmabuf);
	}
}

/* What is there all the time is listed once, whatever comes and goes. */
TEST_F(holders, while_others_come_and_go)
{
	struct peerbuf_buffer_entry entries[64];
	__u64 id, end = now_ns() + 2000 * MS;
	unsigned int seen_others = 0;
	int dmabuf = export(self, 0, &id);
	struct peerbuf_holder_entry holder;
	int i, nr, ret;
	pid_t child;

	child = pb_fork();
	if (!child)
		lend_for_ever(self);
	while (now_ns() < end) {
		int found = 0;

		nr = must(pb_buffers(self->node, entries, 64));
		ASSERT_GE(64, nr);
		for (i = 0; i < nr; i++) {
			found += entries[i].id == id;
			if (i)
				EXPECT_LT(entries[i - 1].id, entries[i].id);
			if (entries[i].id == id)
				continue;
			seen_others++;
			EXPECT_EQ(child, entries[i].pid);
			ret = pb_holders(self->node, entries[i].id, &holder, 1);
			EXPECT_TRUE(ret == -ENOENT || ret == 0 || ret == 1);
		}
		EXPECT_EQ(1, found);
	}
	EXPECT_LT(0, seen_others);
	kill(child, SIGKILL);
	EXPECT_EQ(128 + SIGKILL, pb_join(child));
	close(dmabuf);
}

TEST_F(holders, who_may_ask)
{
	char path[64];
	pid_t child;

	snprintf(path, sizeof(path), "/dev/peerbuf/%s", self->provider.name);
	child = pb_fork();
	if (!child) {
		close(self->node);
		pb_become_nobody();
		_exit(pb_open_node(&self->provider, O_RDONLY) == -EACCES ? 0 :
									   1);
	}
	EXPECT_EQ(0, pb_join(child));

	/* Who may look and not lend, as the node's mode says. */
	ASSERT_EQ(0, chmod(path, 0604));
	child = pb_fork();
	if (!child) {
		int node;

		pb_become_nobody();
		node = must(pb_open_node(&self->provider, O_RDONLY));
		must(pb_buffers(node, NULL, 0));
		_exit(pb_export_at(node, 0, 0, PAGE, NULL) == -EACCES ? 0 : 1);
	}
	EXPECT_EQ(0, pb_join(child));
	ASSERT_EQ(0, chmod(path, 0600));

	/* Everybody has the control node; it does not answer this. */
	close(self->test);
	self->test = must(pb_open_control());
	EXPECT_EQ(-ENOTTY, pb_buffers(self->test, NULL, 0));
	EXPECT_EQ(-ENOTTY, pb_holders(self->test, 1, NULL, 0));
}

/* When an unbind waits, its owner wants to know for whom. */
TEST_F(holders, while_an_unbind_waits)
{
	struct pb_device provider = pb_provider(1);
	struct peerbuf_holder_entry holder;
	struct peerbuf_buffer_entry entry;
	unsigned int handle;
	int node, dmabuf;
	pid_t child;
	__u64 id;

	node = must(pb_open_node(&provider, O_RDWR));
	dmabuf = must(pb_export_at(node, PEERBUF_EXPORT_ALLOW_PINNED, 0, LENGTH,
				   &id));
	handle = attach(self, dmabuf, PEERBUF_TEST_PINNED, 0);
	map(self, handle);
	child = pb_fork();
	if (!child)
		_exit(pb_unbind(&provider) ? 1 : 0);
	do {
		pb_sleep_ms(10);
		must(pb_find_buffer(node, id, &entry));
	} while (!(entry.flags & PEERBUF_BUFFER_REVOKED));
	EXPECT_EQ(-ENODEV, pb_export_at(node, 0, MIB(1), PAGE, NULL));
	EXPECT_EQ(1, entry.nr_maps);
	EXPECT_EQ(0, entry.revoke_ns);
	EXPECT_EQ(1, pb_holders(node, id, &holder, 1));
	EXPECT_STREQ(self->importer.name, holder.device);
	EXPECT_EQ(PEERBUF_CLASS_PINNED, holder.importer_class);

	unmap(self, handle);
	EXPECT_EQ(0, pb_join(child));
	must(pb_find_buffer(node, id, &entry));
	EXPECT_LT(0, entry.revoke_ns);
	detach(self, handle);
	close(dmabuf);
	EXPECT_EQ(0, pb_buffers(node, NULL, 0));
	close(node);
	must(pb_bind(&provider, "peerbuf_pci"));
}

/* What was counted since, and is given back at the end. */
TEST_F(holders, counters)
{
	static const struct {
		const char *name;
		long long change;
	} table[] = {
		{ "exports", 1 }, { "maps", 2 }, { "unmaps", 1 },
		{ "refused_attaches", 2 }, { "refused/not-revocable", 1 },
		{ "refused/static", 1 }, { "refused/revoked", 0 },
		{ "revokes", 0 }, { "faults", 3 }, { "bytes_lent", LENGTH },
	};
	long long before[ARRAY_SIZE(table)], lent, revoked, refused;
	unsigned int handle, other;
	char *memory;
	int dmabuf;
	size_t i;
	__u64 id;

	for (i = 0; i < ARRAY_SIZE(table); i++)
		before[i] = pb_counter(&self->provider, table[i].name);

	dmabuf = export(self, 0, &id);
	handle = attach(self, dmabuf, PEERBUF_TEST_REVOCABLE, 0);
	map(self, handle);
	unmap(self, handle);
	map(self, handle);
	EXPECT_EQ(-EOPNOTSUPP,
		  pb_test_attach(self->test, dmabuf, &self->importer,
				 PEERBUF_TEST_PINNED, 0, &other));
	EXPECT_EQ(-EOPNOTSUPP,
		  pb_test_attach(self->test, dmabuf, &self->importer,
				 PEERBUF_TEST_STATIC, 0, &other));
	memory = pb_map(dmabuf, 0, LENGTH, RW);
	for (i = 0; i < 3; i++)
		EXPECT_EQ(0, pb_touch(memory + i * PAGE, true));
	for (i = 0; i < ARRAY_SIZE(table); i++)
		EXPECT_EQ(before[i] + table[i].change,
			  pb_counter(&self->provider, table[i].name))
			TH_LOG("counter %zu", i);

	revoked = pb_counter(&self->provider, "revokes");
	refused = pb_counter(&self->provider, "refused/revoked");
	lent = pb_counter(&self->provider, "bytes_lent");
	EXPECT_EQ(0, pb_revoke(self->node, id, 0));
	EXPECT_EQ(0, pb_revoke(self->node, id, 0));
	EXPECT_EQ(-ENODEV,
		  pb_test_attach(self->test, dmabuf, &self->importer,
				 PEERBUF_TEST_REVOCABLE, 0, &other));
	EXPECT_EQ(revoked + 1, pb_counter(&self->provider, "revokes"));
	EXPECT_EQ(refused + 1, pb_counter(&self->provider, "refused/revoked"));
	EXPECT_EQ(lent - (long long)LENGTH,
		  pb_counter(&self->provider, "bytes_lent"));
	detach(self, handle);
	munmap(memory, LENGTH);
	close(dmabuf);
	EXPECT_EQ(lent - (long long)LENGTH,
		  pb_counter(&self->provider, "bytes_lent"));
}

/* Whether a line of a file has both words in it. */
static bool has_line(const char *path, const char *first, const char *second)
{
	FILE *file = fopen(path, "re");
	bool found = false;
	char line[1024];

	if (!file)
		fail("cannot open %s", path);
	while (!found && fgets(line, sizeof(line), file))
		found = strstr(line, first) && strstr(line, second);
	fclose(file);
	return found;
}

TEST_F(holders, debugfs)
{
	char path[96], line[64], importer[48];
	__u64 id;
	int dmabuf = export(self, ANY_CLASS, &id);
	unsigned int handle = attach(self, dmabuf, PEERBUF_TEST_STATIC, 0);

	map(self, handle);
	snprintf(path, sizeof(path), "/sys/kernel/debug/peerbuf/%s/buffers",
		 self->provider.name);
	snprintf(line, sizeof(line), "buffer %llu\n", (unsigned long long)id);
	snprintf(importer, sizeof(importer), "importer %s ",
		 self->importer.name);
	EXPECT_TRUE(has_line(path, line, line));
	snprintf(line, sizeof(line), "pid=%d ", getpid());
	EXPECT_TRUE(has_line(path, line, "uid=0"));
	EXPECT_TRUE(has_line(path, importer, "class=static "));
	EXPECT_TRUE(has_line(path, importer, "maps=1 mapped=65536 since="));
	detach(self, handle);
	EXPECT_FALSE(has_line(path, importer, ""));
	EXPECT_EQ(0, pb_revoke(self->node, id, 0));
	EXPECT_TRUE(has_line(path, "revoke began=", "took="));
	close(dmabuf);
}

TEST_F(holders, tracepoints)
{
	static const char * const events[] = {
		"peerbuf_mmap", "peerbuf_fault", "peerbuf_vmap",
		"peerbuf_vunmap", "peerbuf_clear", "peerbuf_revoke",
		"peerbuf_revoked", "peerbuf_export", "peerbuf_release",
	};
	unsigned int handle;
	char name[64], provider[48];
	int pool, dmabuf;
	char *memory;
	size_t i;
	__u64 id;

	must(pb_watch());
	pool = must(pb_pool(self->node, MIB(8), MIB(1)));
	dmabuf = must(pb_export_at(pool, PEERBUF_EXPORT_ALLOW_PINNED,
				   PEERBUF_OFFSET_ANY, LENGTH, &id));
	memory = pb_map(dmabuf, 0, LENGTH, RW);
	EXPECT_EQ(0, pb_touch(memory + PAGE, true));
	must(pb_test_vmap(self->test, dmabuf, &handle));
	must(pb_test_call(self->test, PEERBUF_TEST_VUNMAP, handle));
	EXPECT_EQ(0, pb_revoke(pool, id, 0));
	munmap(memory, LENGTH);
	close(dmabuf);
	close(pool);

	snprintf(provider, sizeof(provider), "provider=%s ",
		 self->provider.name);
	for (i = 0; i < ARRAY_SIZE(events); i++) {
		snprintf(name, sizeof(name), ": %s: ", events[i]);
		EXPECT_TRUE(has_line("/sys/kernel/tracing/trace", name,
				     provider))
			TH_LOG("no %s", events[i]);
	}
	EXPECT_TRUE(has_line("/sys/kernel/tracing/trace", ": peerbuf_fault: ",
			     "offset=0x1000 refused=0"));
}

/* The dmem controller, on kernels that have it. */

#define CGROUPS		"/tmp/holders-cgroups"
#define CGROUP		CGROUPS "/lender"

FIXTURE(dmem) {
	struct pb_device provider;
	int node;
	char region[64];
	bool available;
};

static bool has_dmem(void)
{
	mkdir(CGROUPS, 0700);
	if (mount("none", CGROUPS, "cgroup2", 0, NULL))
		return false;
	return has_line(CGROUPS "/cgroup.controllers", "dmem", "");
}

FIXTURE_SETUP(dmem)
{
	self->provider = pb_provider(0);
	self->node = must(pb_open_node(&self->provider, O_RDWR));
	snprintf(self->region, sizeof(self->region), "peerbuf/%s/window0",
		 self->provider.name);
	self->available = has_dmem();
	if (!self->available)
		return;
	must(pb_write_file(CGROUPS "/cgroup.subtree_control", "+dmem"));
	ASSERT_EQ(0, mkdir(CGROUP, 0700));
}

FIXTURE_TEARDOWN(dmem)
{
	if (self->available) {
		EXPECT_EQ(0, rmdir(CGROUP));
		EXPECT_EQ(0, pb_write_file(CGROUPS "/cgroup.subtree_control",
					   "-dmem"));
	}
	umount(CGROUPS);
	rmdir(CGROUPS);
	close(self->node);
}

static long long dmem_current(const FIXTURE_DATA(dmem) *self)
{
	FILE *file = fopen(CGROUP "/dmem.current", "re");
	long long value, found = 0;
	char name[128];

	if (!file)
		fail("cannot open dmem.current");
	while (fscanf(file, "%127s %lld", name, &value) == 2) {
		if (!strcmp(name, self->region))
			found = value;
	}
	fclose(file);
	return found;
}

static void set_limit(const FIXTURE_DATA(dmem) *self, const char *value)
{
	char text[128];

	snprintf(text, sizeof(text), "%s %s", self->region, value);
	must(pb_write_file(CGROUP "/dmem.max", text));
}

static void enter(const char *cgroup)
{
	char path[64], pid[16];

	snprintf(path, sizeof(path), "%s/cgroup.procs", cgroup);
	snprintf(pid, sizeof(pid), "%d", getpid());
	must(pb_write_file(path, pid));
}

TEST_F(dmem, limit)
{
	int pool, first, second, third;
	struct pb_state before, after;
	__u64 id;

	if (!self->available)
		SKIP(return, "no dmem controller in this kernel");
	EXPECT_TRUE(has_line(CGROUPS "/dmem.capacity", self->region,
			     " 67108864"));
	pool = must(pb_pool(self->node, MIB(8), MIB(1)));
	before = pb_state(&self->provider, pool);
	set_limit(self, "131072");
	enter(CGROUP);

	first = must(pb_export_at(self->node, 0, 0, LENGTH, &id));
	EXPECT_EQ(LENGTH, dmem_current(self));
	EXPECT_EQ(-EDQUOT, pb_export_at(self->node, 0, MIB(1), 2 * LENGTH,
					NULL));
	EXPECT_EQ(-EDQUOT, pb_alloc(pool, LENGTH + PAGE, NULL));
	EXPECT_EQ(LENGTH, dmem_current(self));
	/* an export that fails for another reason is not charged either */
	EXPECT_EQ(-EBUSY, pb_export_at(self->node, 0, 0, PAGE, NULL));
	EXPECT_EQ(LENGTH, dmem_current(self));

	second = must(pb_alloc(pool, LENGTH, NULL));
	EXPECT_EQ(2 * LENGTH, dmem_current(self));
	EXPECT_EQ(-EDQUOT, pb_alloc(pool, PAGE, NULL));
	close(second);
	EXPECT_EQ(LENGTH, dmem_current(self));

	/* a revoke gives it back, a close after that does not again */
	EXPECT_EQ(0, pb_revoke(self->node, id, 0));
	EXPECT_EQ(0, dmem_current(self));
	third = must(pb_export_at(self->node, 0, 0, 2 * LENGTH, NULL));
	EXPECT_EQ(2 * LENGTH, dmem_current(self));
	close(first);
	EXPECT_EQ(2 * LENGTH, dmem_current(self));
	close(third);
	EXPECT_EQ(0, dmem_current(self));

	enter(CGROUPS);
	after = pb_state(&self->provider, pool);
	EXPECT_TRUE(pb_same_state(&before, &after));
	close(pool);
}

/* Who made it pays, wherever the buffer goes. */
TEST_F(dmem, who_pays)
{
	int sockets[2], dmabuf;
	pid_t child;

	if (!self->available)
		SKIP(return, "no dmem controller in this kernel");
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	child = pb_fork();
	if (!child) {
		enter(CGROUP);
		must(pb_send_fd(sockets[1], must(pb_export_at(self->node, 0, 0,
							      LENGTH, NULL))));
		_exit(0);
	}
	dmabuf = must(pb_receive_fd(sockets[0]));
	EXPECT_EQ(0, pb_join(child));
	EXPECT_EQ(LENGTH, dmem_current(self));
	close(dmabuf);
	EXPECT_EQ(0, dmem_current(self));
	close(sockets[0]);
	close(sockets[1]);
}

TEST_HARNESS_MAIN
