// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel's own importers that bind a dma-buf to a NIC: devmem TCP, io_uring
 * zcrx, and RDMA's pinned and revocable memory regions. peerbuf_test makes their
 * calls and checks (selftests/modules/bind.c, rdma.c) on a real NIC function.
 *
 * Each against the policy: who is let in with which permission, with which errno
 * and reason; what they find in the table; how they give it back.
 */
#include <fcntl.h>
#include <kselftest_harness.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "peerbuf_lib.h"

#define LENGTH		KIB(64)
#define PAGE_SHIFT	12
#define PINNED		PEERBUF_EXPORT_ALLOW_PINNED
#define STATIC		PEERBUF_EXPORT_ALLOW_STATIC
#define TRACING		"/sys/kernel/tracing/"
#define ATTACH_EVENT	TRACING "events/peerbuf/peerbuf_attach/enable"

struct importer {
	const char *name;
	unsigned int style;
	unsigned int needs;	/* flag of the export */
	bool needs_admin;
	const char *reason;	/* without these */
};

static const struct importer importers[] = {
	{ "devmem rx", PEERBUF_TEST_DEVMEM_RX, STATIC, true, "static" },
	{ "devmem tx", PEERBUF_TEST_DEVMEM_TX, STATIC, true, "static" },
	{ "zcrx", PEERBUF_TEST_ZCRX, STATIC, true, "static" },
	{ "RDMA pinned", PEERBUF_TEST_RDMA_PINNED, PINNED, false,
	  "not-revocable" },
	{ "RDMA revocable", PEERBUF_TEST_RDMA_REVOCABLE, 0, false, NULL },
};

#define LAST_IMPORTER	(importers + ARRAY_SIZE(importers))

FIXTURE(importers) {
	struct pb_device provider;
	struct pb_device nic;
	int node;
	int test;
	struct pb_state start;
};

FIXTURE_SETUP(importers)
{
	if (!pb_has_ports())
		SKIP(return, "this machine has no NIC");
	must(pb_find(PB_IGB, &self->nic, 1));
	self->provider = pb_provider(0);
	self->node = must(pb_open_node(&self->provider, O_RDWR));
	self->test = must(pb_open_test());
	self->start = pb_state(&self->provider, -1);
	must(pb_allow_static(&self->provider, 0, 0));
	must(pb_write_file(ATTACH_EVENT, "1"));
}

FIXTURE_TEARDOWN(importers)
{
	if (!pb_has_ports())
		return;
	must(pb_write_file(ATTACH_EVENT, "0"));
	must(pb_allow_static(&self->provider, 0, 0));
	EXPECT_TRUE(pb_unchanged(&self->start, &self->provider, -1));
	close(self->test);
	close(self->node);
}

static int bind_at(FIXTURE_DATA(importers) *self, unsigned int style, int dmabuf,
		   __u64 offset, __u64 length, unsigned int shift,
		   unsigned int *handle)
{
	struct peerbuf_test_bind arg = {
		.style = style,
		.fd = dmabuf,
		.importer = self->nic.function,
		.shift = shift,
		.offset = offset,
		.length = length,
	};
	int ret;

	/* The kernel's trace is then of this attach alone. */
	must(pb_write_file(TRACING "trace", ""));
	ret = pb_ioctl(self->test, PEERBUF_TEST_BIND, &arg);
	*handle = arg.handle;
	return ret;
}

static int bind_all(FIXTURE_DATA(importers) *self, unsigned int style,
		    int dmabuf, unsigned int *handle)
{
	return bind_at(self, style, dmabuf, 0, LENGTH, PAGE_SHIFT, handle);
}

static int unbind(FIXTURE_DATA(importers) *self, unsigned int handle)
{
	return pb_test_call(self->test, PEERBUF_TEST_UNBIND, handle);
}

static struct peerbuf_test_bound bound(FIXTURE_DATA(importers) *self,
				       unsigned int handle)
{
	struct peerbuf_test_bound arg = { .handle = handle };

	must(pb_ioctl(self->test, PEERBUF_TEST_BOUND, &arg));
	return arg;
}

/* The line of the trace that tells of the NIC's attach */
static bool traced(const FIXTURE_DATA(importers) *self, const char *what)
{
	FILE *trace = fopen(TRACING "trace", "r");
	char line[512], nic[64];
	bool found = false;

	if (!trace)
		fail("cannot read the kernel's trace");
	snprintf(nic, sizeof(nic), "importer=%s ", self->nic.name);
	while (fgets(line, sizeof(line), trace))
		if (strstr(line, "peerbuf_attach:") && strstr(line, nic) &&
		    strstr(line, what))
			found = true;
	fclose(trace);
	return found;
}

static const char * const good_reasons[] = {
	[PEERBUF_REASON_COMMON_BRIDGE] = "common-bridge",
	[PEERBUF_REASON_ACS_REDIRECT] = "acs-redirect",
	[PEERBUF_REASON_HOST_TRUSTED] = "host-trusted",
};

/* The kernel said so, of this NIC, and only now. */
static void expect_reason(struct __test_metadata *_metadata,
			  const FIXTURE_DATA(importers) *self,
			  const char *reason, int error)
{
	char text[64];

	snprintf(text, sizeof(text), " reason=%s ", reason);
	EXPECT_TRUE(traced(self, text))
		TH_LOG("the reason is not '%s'", reason);
	snprintf(text, sizeof(text), " error=%d\n", error);
	EXPECT_TRUE(traced(self, text))
		TH_LOG("the error is not %d", error);
}

/* Every importer, with every permission of the export and the administrator */
TEST_F(importers, policy)
{
	static const unsigned int flags[] = { 0, PINNED, STATIC, PINNED | STATIC };
	const char *good = good_reasons[pb_expect()->reason];
	const struct importer *importer;
	unsigned int handle, i, admin;
	bool admitted;
	int dmabuf;

	for (importer = importers; importer < LAST_IMPORTER; importer++) {
		for (i = 0; i < 2 * ARRAY_SIZE(flags); i++) {
			admin = i % 2;
			must(pb_allow_static(&self->provider, 0, admin));
			dmabuf = must(pb_export_at(self->node, flags[i / 2],
						   MIB(16), LENGTH, NULL));
			admitted = (flags[i / 2] & importer->needs) ==
					   importer->needs &&
				   (admin || !importer->needs_admin);
			EXPECT_EQ(admitted ? 0 : -EOPNOTSUPP,
				  bind_all(self, importer->style, dmabuf,
					   &handle))
				TH_LOG("%s, export %#x, administrator %u",
				       importer->name, flags[i / 2], admin);
			expect_reason(_metadata, self,
				      admitted ? good : importer->reason,
				      admitted ? 0 : -EOPNOTSUPP);
			if (admitted)
				EXPECT_EQ(0, unbind(self, handle));
			close(dmabuf);
		}
	}
}

/* Permissions are for the class of the importer, not for the route. */
TEST_F(importers, direct_is_for_all)
{
	const bool direct = pb_expect()->route == PEERBUF_ROUTE_BUS;
	const struct importer *importer;
	unsigned int handle;
	int dmabuf, ret;

	must(pb_allow_static(&self->provider, 0, 1));
	for (importer = importers; importer < LAST_IMPORTER; importer++) {
		dmabuf = must(pb_export_at(self->node, PINNED | STATIC |
					   PEERBUF_EXPORT_DIRECT, MIB(16),
					   LENGTH, NULL));
		ret = bind_all(self, importer->style, dmabuf, &handle);
		EXPECT_EQ(direct ? 0 : -EOPNOTSUPP, ret)
			TH_LOG("%s", importer->name);
		if (ret)
			expect_reason(_metadata, self, "direct-required", ret);
		EXPECT_EQ(direct ? 0 : -ENOENT, unbind(self, handle));
		close(dmabuf);
	}
}

struct layout {
	struct peerbuf_range ranges[3];
	unsigned int nr;
	unsigned int shift;	/* size of a buffer of the NIC */
	int devmem;		/* what they say to that */
	int devmem_iommu;	/* and where an IOMMU chooses the address */
	int zcrx;
};

static const struct layout layouts[] = {
	{ { { MIB(16), KIB(64) } }, 1, 12, 0, 0, 0 },
	{ { { MIB(16), KIB(64) } }, 1, 13, 0, 0, 0 },
	{ { { MIB(16), KIB(64) } }, 1, 16, 0, 0, 0 },
	/* The last buffer would not be whole. */
	{ { { MIB(16), KIB(64) } }, 1, 17, -EINVAL, -EINVAL, -ERANGE },
	{ { { MIB(16), KIB(12) } }, 1, 12, 0, 0, 0 },
	{ { { MIB(16), KIB(12) } }, 1, 13, -EINVAL, -EINVAL, -ERANGE },
	/* Whole, but not aligned, for which zcrx does not look. */
	{ { { MIB(16) + KIB(4), KIB(8) } }, 1, 13, -EINVAL, 0, 0 },
	{ { { MIB(16) + KIB(8), KIB(16) } }, 1, 14, -EINVAL, 0, 0 },
	/* One entry spoils it for all. */
	{ { { MIB(20), KIB(64) }, { MIB(18), KIB(64) }, { MIB(22), KIB(4) } },
	  3, 12, 0, 0, 0 },
	{ { { MIB(20), KIB(64) }, { MIB(18), KIB(64) }, { MIB(22), KIB(4) } },
	  3, 13, -EINVAL, -EINVAL, -ERANGE },
	{ { { MIB(20), MIB(2) }, { MIB(24), MIB(2) }, { MIB(28), MIB(2) } },
	  3, 21, 0, 0, 0 },
};

TEST_F(importers, layout_of_the_table)
{
	static const unsigned int styles[] = {
		PEERBUF_TEST_DEVMEM_RX, PEERBUF_TEST_DEVMEM_TX,
		PEERBUF_TEST_ZCRX,
	};
	const struct layout *layout;
	unsigned int handle, i;

	must(pb_allow_static(&self->provider, 0, 1));
	for (layout = layouts; layout < layouts + ARRAY_SIZE(layouts);
	     layout++) {
		int dmabuf = must(pb_export_ranges(self->node, STATIC,
						   layout->ranges, layout->nr,
						   0, NULL));
		__u64 length = 0;

		for (i = 0; i < layout->nr; i++)
			length += layout->ranges[i].length;
		for (i = 0; i < ARRAY_SIZE(styles); i++) {
			int expected = styles[i] == PEERBUF_TEST_ZCRX ?
					       layout->zcrx :
				       pb_expect()->iommu ?
					       layout->devmem_iommu :
					       layout->devmem;

			EXPECT_EQ(expected,
				  bind_at(self, styles[i], dmabuf, 0, length,
					  layout->shift, &handle))
				TH_LOG("layout %zu, style %u",
				       layout - layouts, styles[i]);
			if (expected)
				continue;
			EXPECT_EQ(length >> layout->shift,
				  bound(self, handle).blocks);
			EXPECT_EQ(0, unbind(self, handle));
		}
		close(dmabuf);
	}
}

/* zcrx takes a dma-buf as a whole. */
TEST_F(importers, zcrx_total_length)
{
	const unsigned int style = PEERBUF_TEST_ZCRX;
	unsigned int handle;
	int dmabuf;

	must(pb_allow_static(&self->provider, 0, 1));
	dmabuf = must(pb_export_at(self->node, STATIC, MIB(16), LENGTH, NULL));
	EXPECT_EQ(-EINVAL, bind_at(self, style, dmabuf, 0, LENGTH - PAGE,
				   PAGE_SHIFT, &handle));
	EXPECT_EQ(-EINVAL, bind_at(self, style, dmabuf, 0, LENGTH + PAGE,
				   PAGE_SHIFT, &handle));
	EXPECT_EQ(-EINVAL, bind_at(self, style, dmabuf, PAGE, LENGTH - PAGE,
				   PAGE_SHIFT, &handle));
	EXPECT_EQ(0, bind_at(self, style, dmabuf, 0, LENGTH, PAGE_SHIFT,
			     &handle));
	EXPECT_EQ(0, unbind(self, handle));
	close(dmabuf);
}

struct region {
	__u64 offset, length;
	int result;
	unsigned int pages;
	unsigned int first;	/* page of the dma-buf */
};

/* Of three ranges with 4, 1 and 11 pages */
static const struct region regions[] = {
	{ 0, LENGTH, 0, 16, 0 },
	{ 0, 1, 0, 1, 0 },
	{ 0, PAGE + 1, 0, 2, 0 },
	{ PAGE, PAGE, 0, 1, 1 },
	{ PAGE - 1, 2, 0, 2, 0 },
	{ 3 * PAGE + 100, 2 * PAGE, 0, 3, 3 },
	{ 4 * PAGE, PAGE, 0, 1, 4 },
	{ 5 * PAGE, 11 * PAGE, 0, 11, 5 },
	{ LENGTH - 1, 1, 0, 1, 15 },
	{ 0, 0, -EINVAL, 0, 0 },
	{ 0, LENGTH + 1, -EINVAL, 0, 0 },
	{ LENGTH, 1, -EINVAL, 0, 0 },
	{ ~0ULL, 2, -EINVAL, 0, 0 },
};

/* A memory region is cut out of the table, which is whole again afterwards. */
TEST_F(importers, rdma_regions)
{
	const struct peerbuf_range ranges[] = {
		{ MIB(20), 4 * PAGE }, { MIB(18), PAGE }, { MIB(22), 11 * PAGE },
	};
	int dmabuf = must(pb_export_ranges(self->node, PINNED, ranges, 3, 0,
					   NULL));
	const struct region *region;
	unsigned int handle, style;
	__u64 base[16];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(base); i++) {
		must(bind_at(self, PEERBUF_TEST_RDMA_PINNED, dmabuf, i * PAGE,
			     PAGE, PAGE_SHIFT, &handle));
		base[i] = bound(self, handle).first;
		must(unbind(self, handle));
		if (i && i != 4 && i != 5 && !pb_expect()->iommu)
			EXPECT_EQ(base[i - 1] + PAGE, base[i]);
	}
	for (i = 0; i < 2 * ARRAY_SIZE(regions); i++) {
		region = &regions[i / 2];
		style = i % 2 ? PEERBUF_TEST_RDMA_PINNED :
				PEERBUF_TEST_RDMA_REVOCABLE;
		EXPECT_EQ(region->result,
			  bind_at(self, style, dmabuf, region->offset,
				  region->length, PAGE_SHIFT, &handle))
			TH_LOG("region %zu", i / 2);
		if (region->result)
			continue;
		EXPECT_EQ(region->pages, bound(self, handle).blocks)
			TH_LOG("region %zu", i / 2);
		if (!pb_expect()->iommu)
			EXPECT_EQ(base[region->first],
				  bound(self, handle).first);
		EXPECT_EQ(0, unbind(self, handle));
	}
	close(dmabuf);
}

/* Who cannot give it back is waited for; who can, gives it back at once. */
TEST_F(importers, revoke)
{
	const struct importer *importer;
	unsigned int handle, other;
	int dmabuf;
	__u64 id;

	must(pb_allow_static(&self->provider, 0, 1));
	for (importer = importers; importer < LAST_IMPORTER; importer++) {
		bool waits = importer->needs;

		dmabuf = must(pb_export_at(self->node, PINNED | STATIC, MIB(16),
					   LENGTH, &id));
		must(bind_all(self, importer->style, dmabuf, &handle));
		EXPECT_EQ(waits ? -EINPROGRESS : 0,
			  pb_revoke(self->node, id, PEERBUF_REVOKE_NOWAIT))
			TH_LOG("%s", importer->name);
		EXPECT_EQ(!waits, bound(self, handle).revoked);

		/* Nobody else is let in any more. */
		EXPECT_EQ(-ENODEV, bind_all(self, importer->style, dmabuf,
					    &other));
		expect_reason(_metadata, self, "revoked", -ENODEV);
		EXPECT_EQ(0, unbind(self, handle));
		EXPECT_EQ(0, pb_revoke(self->node, id, 0));
		close(dmabuf);
	}
}

#define HOLD_MS	800

/* The provider's driver does not leave while a NIC may write to its memory. */
TEST_F_TIMEOUT(importers, unbind_waits, 60)
{
	const struct importer *importer;
	unsigned int handle;
	__u64 start;
	pid_t child;
	int dmabuf;

	for (importer = importers; importer < LAST_IMPORTER; importer++) {
		must(pb_allow_static(&self->provider, 0, 1));
		dmabuf = must(pb_export_at(self->node, PINNED | STATIC, MIB(16),
					   LENGTH, NULL));
		child = pb_fork();
		if (!child) {
			close(self->test);
			self->test = must(pb_open_test());
			must(bind_all(self, importer->style, dmabuf, &handle));
			kill(getpid(), SIGSTOP);
			pb_sleep_ms(HOLD_MS);
			_exit(unbind(self, handle) ? 1 : 0);
		}
		waitpid(child, NULL, WUNTRACED);
		kill(child, SIGCONT);
		start = pb_now_ms();
		EXPECT_EQ(0, pb_unbind(&self->provider));
		if (importer->needs)
			EXPECT_LE(HOLD_MS / 2, pb_now_ms() - start)
				TH_LOG("%s", importer->name);
		EXPECT_EQ(0, pb_join(child));
		close(dmabuf);
		close(self->node);
		must(pb_bind(&self->provider, "peerbuf_pci"));
		self->node = must(pb_open_node(&self->provider, O_RDWR));
	}
}

/* A process dies; what it had bound is given back. */
TEST_F(importers, process_dies)
{
	const struct importer *importer;
	pid_t child;

	must(pb_allow_static(&self->provider, 0, 1));
	for (importer = importers; importer < LAST_IMPORTER; importer++) {
		child = pb_fork();
		if (!child) {
			unsigned int handle;

			close(self->test);
			self->test = must(pb_open_test());
			must(bind_all(self, importer->style,
				      must(pb_export_at(self->node,
							PINNED | STATIC,
							MIB(16), LENGTH, NULL)),
				      &handle));
			raise(SIGKILL);
		}
		EXPECT_EQ(128 + SIGKILL, pb_join(child));
	}
}

/* The same calls on memory of the system, which asks for no permission. */
TEST_F(importers, memory_of_the_system)
{
	const struct importer *importer;
	unsigned int handle;
	int heap;

	for (importer = importers; importer < LAST_IMPORTER; importer++) {
		heap = pb_heap(LENGTH);
		EXPECT_EQ(0, bind_all(self, importer->style, heap, &handle))
			TH_LOG("%s", importer->name);
		EXPECT_EQ(LENGTH / PAGE, bound(self, handle).blocks);
		EXPECT_EQ(0, unbind(self, handle));
		close(heap);
	}
}

TEST_HARNESS_MAIN
