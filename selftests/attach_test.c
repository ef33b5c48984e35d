// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which importers are let in, and what they get: every class, on behalf of every
 * function, with and without the export's permission.
 */
#include <fcntl.h>
#include <kselftest_harness.h>
#include <stdio.h>

#include "peerbuf_lib.h"

#define LENGTH	KIB(64)

FIXTURE(attach) {
	struct pb_device provider;
	struct pb_device importer;
	int node;
	int test;
	struct pb_state start;
};

FIXTURE_SETUP(attach)
{
	self->provider = pb_provider(0);
	self->importer = pb_usable_importer(&self->provider);
	self->node = must(pb_open_node(&self->provider, O_RDWR));
	self->test = must(pb_open_test());
	self->start = pb_state(&self->provider, -1);
}

FIXTURE_TEARDOWN(attach)
{
	EXPECT_TRUE(pb_unchanged(&self->start, &self->provider, -1));
	close(self->test);
	close(self->node);
}

struct policy {
	unsigned int kind;
	unsigned int flags;	/* of the export */
	int result;
};

static const struct policy policies[] = {
	{ PEERBUF_TEST_REVOCABLE, 0, 0 },
	{ PEERBUF_TEST_SLOW, 0, 0 },
	{ PEERBUF_TEST_PINNED, 0, -EOPNOTSUPP },
	{ PEERBUF_TEST_NO_PEER, 0, -EOPNOTSUPP },
	{ PEERBUF_TEST_STATIC, 0, -EOPNOTSUPP },
	{ PEERBUF_TEST_REVOCABLE, PEERBUF_EXPORT_ALLOW_PINNED, 0 },
	{ PEERBUF_TEST_PINNED, PEERBUF_EXPORT_ALLOW_PINNED, 0 },
	{ PEERBUF_TEST_NO_PEER, PEERBUF_EXPORT_ALLOW_PINNED, -EOPNOTSUPP },
	{ PEERBUF_TEST_STATIC, PEERBUF_EXPORT_ALLOW_PINNED, -EOPNOTSUPP },
	{ PEERBUF_TEST_STATIC, PEERBUF_EXPORT_ALLOW_STATIC, -EOPNOTSUPP },
	{ PEERBUF_TEST_PINNED, PEERBUF_EXPORT_ALLOW_STATIC, -EOPNOTSUPP },
	{ PEERBUF_TEST_REVOCABLE, PEERBUF_EXPORT_SHARED, 0 },
	{ PEERBUF_TEST_PINNED, PEERBUF_EXPORT_SHARED, -EOPNOTSUPP },
};

TEST_F(attach, policy)
{
	const struct policy *policy;
	unsigned int handle;
	int dmabuf;

	for (policy = policies; policy < policies + ARRAY_SIZE(policies);
	     policy++) {
		dmabuf = must(pb_export_at(self->node, policy->flags, MIB(1),
					   LENGTH, NULL));
		EXPECT_EQ(policy->result,
			  pb_test_attach(self->test, dmabuf, &self->importer,
					 policy->kind, 0, &handle))
			TH_LOG("kind %u, export flags %#x", policy->kind,
			       policy->flags);
		if (!policy->result) {
			EXPECT_EQ(0, pb_test_call(self->test, PEERBUF_TEST_MAP,
						  handle));
			EXPECT_EQ(0, pb_test_call(self->test,
						  PEERBUF_TEST_DETACH, handle));
		}
		close(dmabuf);
	}
}

static int attach_once(FIXTURE_DATA(attach) *self, unsigned int flags,
		       const struct pb_device *importer, unsigned int kind)
{
	int dmabuf = must(pb_export_at(self->node, flags, MIB(1), LENGTH,
				       NULL));
	unsigned int handle;
	int ret;

	ret = pb_test_attach(self->test, dmabuf, importer, kind, 0, &handle);
	if (!ret) {
		ret = pb_test_call(self->test, PEERBUF_TEST_MAP, handle);
		must(pb_test_call(self->test, PEERBUF_TEST_DETACH, handle));
	}
	close(dmabuf);
	return ret;
}

static int allowed_static(const struct pb_device *provider)
{
	char path[96];
	int allowed = -1;
	FILE *file;

	snprintf(path, sizeof(path),
		 "/sys/class/peerbuf/%s/window0/allow_static", provider->name);
	file = fopen(path, "re");
	if (!file || fscanf(file, "%d", &allowed) != 1)
		fail("cannot read %s", path);
	fclose(file);
	return allowed;
}

/* A static importer needs the export's word and the administrator's. */
TEST_F(attach, static_importers_need_both_permissions)
{
	const unsigned int flag = PEERBUF_EXPORT_ALLOW_STATIC;

	for (int allowed = 0; allowed < 2; allowed++) {
		must(pb_allow_static(&self->provider, 0, allowed));
		EXPECT_EQ(allowed, allowed_static(&self->provider));
		EXPECT_EQ(-EOPNOTSUPP,
			  attach_once(self, 0, &self->importer,
				      PEERBUF_TEST_STATIC));
		EXPECT_EQ(allowed ? 0 : -EOPNOTSUPP,
			  attach_once(self, flag, &self->importer,
				      PEERBUF_TEST_STATIC));
	}
	EXPECT_EQ(-EINVAL, pb_allow_static(&self->provider, 0, 7));
	EXPECT_EQ(-ENOENT, pb_allow_static(&self->provider, 1, 1));

	/* What counts is the time of the attach. */
	must(pb_allow_static(&self->provider, 0, 0));
	EXPECT_EQ(-EOPNOTSUPP, attach_once(self, flag, &self->importer,
					   PEERBUF_TEST_STATIC));
}

/* Bus routes only: the provider itself has one, the others by topology. */
TEST_F(attach, direct_refuses_what_crosses_a_host_bridge)
{
	struct pb_device other = pb_importer(0);

	EXPECT_EQ(0, attach_once(self, PEERBUF_EXPORT_DIRECT, &self->provider,
				 PEERBUF_TEST_REVOCABLE));
	EXPECT_EQ(pb_expect()->route == PEERBUF_ROUTE_BUS ? 0 : -EOPNOTSUPP,
		  attach_once(self, PEERBUF_EXPORT_DIRECT, &other,
			      PEERBUF_TEST_REVOCABLE));
}

/* Importers may rely on this, on every table (Documentation: dma-buf). */
TEST_F(attach, shape_of_the_table)
{
	const struct peerbuf_range ranges[] = {
		{ MIB(30), LENGTH }, { MIB(10), 3 * PAGE }, { MIB(20), PAGE },
	};
	int dmabuf = must(pb_export_ranges(self->node, 0, ranges, 3, 0, NULL));
	struct peerbuf_test_segment segments[16];
	struct peerbuf_test_map_info info;
	unsigned int handle, i;
	__u64 total = 0;

	must(pb_test_attach(self->test, dmabuf, &self->importer,
			    PEERBUF_TEST_REVOCABLE, 0, &handle));
	must(pb_test_call(self->test, PEERBUF_TEST_MAP, handle));
	must(pb_test_map_info(self->test, handle, &info, segments,
			      ARRAY_SIZE(segments)));
	EXPECT_EQ(1, info.mapped);
	EXPECT_EQ(0, info.nr_pages);
	EXPECT_TRUE(info.wrapped || !info.orig_nents);
	EXPECT_LE(info.longest, info.max_seg);
	EXPECT_GE(info.nents, info.nr_segments);
	for (i = 0; i < info.nr_segments; i++) {
		EXPECT_EQ(0, segments[i].address & (PAGE - 1));
		EXPECT_EQ(0, segments[i].length & (PAGE - 1));
		total += segments[i].length;
	}
	EXPECT_EQ(LENGTH + 4 * PAGE, total);
	must(pb_test_call(self->test, PEERBUF_TEST_DETACH, handle));
	close(dmabuf);
}

/* The provider itself has the 64 KiB limit that PCI devices have by default. */
TEST_F(attach, entries_keep_to_the_longest_segment)
{
	int dmabuf = must(pb_export_at(self->node, 0, 0, MIB(1), NULL));
	struct peerbuf_test_segment segments[64];
	struct peerbuf_test_map_info info;
	unsigned int handle;

	must(pb_test_attach(self->test, dmabuf, &self->provider,
			    PEERBUF_TEST_REVOCABLE, 0, &handle));
	must(pb_test_call(self->test, PEERBUF_TEST_MAP, handle));
	must(pb_test_map_info(self->test, handle, &info, segments,
			      ARRAY_SIZE(segments)));
	EXPECT_EQ(KIB(64), info.max_seg);
	EXPECT_EQ(KIB(64), info.longest);
	EXPECT_EQ(16, info.nents);
	EXPECT_EQ(1, info.nr_segments);
	EXPECT_EQ(MIB(1), segments[0].length);
	must(pb_test_call(self->test, PEERBUF_TEST_DETACH, handle));
	close(dmabuf);
}

TEST_F(attach, many_at_once)
{
	int dmabuf = must(pb_export_at(self->node, 0, 0, LENGTH, NULL));
	unsigned int handles[32], i;

	/* DMA_API_DEBUG allows no more than seven mappings of a place. */
	for (i = 0; i < ARRAY_SIZE(handles); i++) {
		must(pb_test_attach(self->test, dmabuf,
				    i % 5 ? &self->provider : &self->importer,
				    i % 3 ? PEERBUF_TEST_REVOCABLE :
					    PEERBUF_TEST_SLOW,
				    10, &handles[i]));
		must(pb_test_call(self->test, PEERBUF_TEST_MAP, handles[i]));
	}
	for (i = 0; i < ARRAY_SIZE(handles); i++)
		must(pb_test_call(self->test, PEERBUF_TEST_DETACH,
				  handles[(i * 7) % ARRAY_SIZE(handles)]));
	close(dmabuf);
}

/* Pin is for importers that cannot follow a move; this memory does not move. */
TEST_F(attach, pin_and_revoke)
{
	unsigned int handle;
	__u64 id;
	int dmabuf = must(pb_export_at(self->node, 0, 0, LENGTH, &id));

	must(pb_test_attach(self->test, dmabuf, &self->importer,
			    PEERBUF_TEST_REVOCABLE, 0, &handle));
	EXPECT_EQ(0, pb_test_call(self->test, PEERBUF_TEST_PIN, handle));
	EXPECT_EQ(0, pb_test_call(self->test, PEERBUF_TEST_PIN, handle));
	EXPECT_EQ(0, pb_test_call(self->test, PEERBUF_TEST_MAP, handle));
	EXPECT_EQ(0, pb_test_call(self->test, PEERBUF_TEST_UNPIN, handle));

	/* It told us that it can let go, so it has to. */
	EXPECT_EQ(0, pb_revoke(self->node, id, 0));
	EXPECT_FALSE(pb_test_mapped(self->test, handle));
	EXPECT_EQ(-ENODEV, pb_test_call(self->test, PEERBUF_TEST_PIN, handle));
	EXPECT_EQ(0, pb_test_call(self->test, PEERBUF_TEST_UNPIN, handle));
	must(pb_test_call(self->test, PEERBUF_TEST_DETACH, handle));
	close(dmabuf);
}

TEST_F(attach, attachment_keeps_the_buffer)
{
	int dmabuf = must(pb_export_at(self->node, 0, 0, LENGTH, NULL));
	struct peerbuf_provider_info info;
	unsigned int handle;

	must(pb_test_attach(self->test, dmabuf, &self->importer,
			    PEERBUF_TEST_REVOCABLE, 0, &handle));
	close(dmabuf);
	must(pb_provider_info(&self->provider, &info));
	EXPECT_EQ(self->start.nr_buffers + 1, info.nr_buffers);
	EXPECT_EQ(0, pb_test_call(self->test, PEERBUF_TEST_MAP, handle));
	must(pb_test_call(self->test, PEERBUF_TEST_DETACH, handle));
}

/* What a process leaves behind when it dies is cleaned up. */
TEST_F(attach, process_dies)
{
	int i;

	for (i = 0; i < 10; i++) {
		pid_t child = pb_fork();

		if (!child) {
			int test = must(pb_open_test());
			int dmabuf = must(pb_export_at(self->node, 0, 0, LENGTH,
						       NULL));
			char *memory = pb_map(dmabuf, 0, LENGTH,
					      PROT_READ | PROT_WRITE);
			unsigned int handle;

			must(pb_test_attach(test, dmabuf, &self->importer,
					    PEERBUF_TEST_REVOCABLE, 0,
					    &handle));
			must(pb_test_call(test, PEERBUF_TEST_MAP, handle));
			pb_touch(memory, true);
			raise(SIGKILL);
		}
		EXPECT_EQ(128 + SIGKILL, pb_join(child));
	}
}

TEST_HARNESS_MAIN
