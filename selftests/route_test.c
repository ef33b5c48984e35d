// SPDX-License-Identifier: GPL-2.0-only
/* Routes between the functions of this machine are what its topology says. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <kselftest_harness.h>

#include "peerbuf_lib.h"

#define NR	2	/* providers, and importers */
#define ADMIN_NOTICE	"only trusted_bridges= vouches"
#define NOTICE_MS	20000

FIXTURE(route) {
	struct pb_device providers[NR];
	struct pb_device importers[NR];
};

FIXTURE_SETUP(route)
{
	int i;

	for (i = 0; i < NR; i++) {
		self->providers[i] = pb_provider(i);
		self->importers[i] = pb_importer(i);
	}
}

FIXTURE_TEARDOWN(route)
{
}

static void as_expected(struct __test_metadata *_metadata,
			const struct pb_device *provider,
			const struct pb_device *importer)
{
	const struct pb_expect *expect = pb_expect();
	struct peerbuf_verdict verdict;

	ASSERT_EQ(0, pb_route(&provider->function, &importer->function,
			      &verdict));
	EXPECT_EQ(expect->route, verdict.route);
	EXPECT_EQ(expect->reason, verdict.reason)
		TH_LOG("%s from %s", provider->name, importer->name);
	EXPECT_EQ(expect->iommu, !!(verdict.flags & PEERBUF_VERDICT_IOMMU));
	EXPECT_EQ(0, verdict.bus_offset);
	EXPECT_EQ(~0ULL, verdict.dma_mask);
	/* The kernel was asked, and thinks the same; or the administrator knows. */
	EXPECT_EQ(PEERBUF_VERDICT_KERNEL |
		  (expect->admin ? PEERBUF_VERDICT_ADMIN |
				   PEERBUF_VERDICT_DISAGREES : 0),
		  verdict.flags & ~(PEERBUF_VERDICT_IOMMU |
				    PEERBUF_VERDICT_BLOCKER));
	EXPECT_EQ(verdict.route == PEERBUF_ROUTE_NONE ? -1 : 4,
		  verdict.distance);
}

TEST_F(route, every_pair)
{
	int i, j;

	for (i = 0; i < NR; i++) {
		for (j = 0; j < NR; j++)
			as_expected(_metadata, &self->providers[i],
				    &self->importers[j]);
	}
}

/* Who blocks is a function that exists, and it is told what it is. */
TEST_F(route, blocker)
{
	struct peerbuf_verdict verdict;
	struct pb_device blockers[4];
	int count;

	must(pb_route(&self->providers[0].function,
		      &self->importers[0].function, &verdict));
	if (pb_expect()->reason != PEERBUF_REASON_HOST_UNTRUSTED) {
		EXPECT_EQ(0, verdict.flags & PEERBUF_VERDICT_BLOCKER);
		EXPECT_EQ(0, verdict.blocker_id);
		EXPECT_EQ(0, verdict.acs);
		return;
	}
	ASSERT_TRUE(verdict.flags & PEERBUF_VERDICT_BLOCKER);
	count = pb_find(verdict.blocker_id, blockers, ARRAY_SIZE(blockers));
	while (count && !pb_same_function(&blockers[count - 1].function,
					  &verdict.blocker))
		count--;
	EXPECT_LT(0, count)
		TH_LOG("no function %08x there", verdict.blocker_id);
	/* QEMU's q35, and no port in the way */
	EXPECT_EQ(0x808629c0, verdict.blocker_id);
	EXPECT_EQ(0, verdict.acs);
}

TEST_F(route, to_itself)
{
	struct peerbuf_verdict verdict;
	int i;

	for (i = 0; i < NR; i++) {
		must(pb_route(&self->providers[i].function,
			      &self->providers[i].function, &verdict));
		EXPECT_EQ(PEERBUF_ROUTE_BUS, verdict.route);
		EXPECT_EQ(PEERBUF_REASON_SAME_FUNCTION, verdict.reason);
		EXPECT_EQ(0, verdict.distance);
	}
}

/* Roles are free: an importer's BAR is reached as a provider's is. */
TEST_F(route, works_both_ways)
{
	int i, j;

	for (i = 0; i < NR; i++) {
		for (j = 0; j < NR; j++) {
			struct peerbuf_verdict verdict;

			must(pb_route(&self->importers[i].function,
				      &self->providers[j].function, &verdict));
			EXPECT_EQ(pb_expect()->route, verdict.route);
		}
	}
}

TEST_F(route, functions_that_do_not_exist)
{
	struct peerbuf_function none = { .domain = 0, .bus = 0xfe,
					 .devfn = 0xff };
	struct peerbuf_function far = { .domain = 0x12345678 };
	struct peerbuf_function *provider = &self->providers[0].function;
	struct peerbuf_verdict verdict;

	EXPECT_EQ(-ENXIO, pb_route(provider, &none, &verdict));
	EXPECT_EQ(-ENXIO, pb_route(&none, provider, &verdict));
	EXPECT_EQ(-ENXIO, pb_route(&none, &none, &verdict));
	EXPECT_EQ(-ENXIO, pb_route(provider, &far, &verdict));
	EXPECT_EQ(-ENXIO, pb_route(&far, provider, &verdict));
}

TEST_F(route, everybody_may_ask)
{
	pid_t child = pb_fork();

	if (!child) {
		pb_become_nobody();
		EXPECT_LE(0, pb_open_control());
		as_expected(_metadata, &self->providers[0],
			    &self->importers[0]);
		EXPECT_EQ(-EACCES, pb_open_node(&self->providers[0], O_RDONLY));
		_exit(_metadata->exit_code);
	}
	EXPECT_EQ(0, pb_join(child));
}

/* Unbinding an importer changes nothing about where it is. */
TEST_F(route, does_not_depend_on_drivers)
{
	must(pb_unbind(&self->importers[1]));
	as_expected(_metadata, &self->providers[0], &self->importers[1]);
	must(pb_bind(&self->importers[1], "peerbuf_edu"));
	as_expected(_metadata, &self->providers[0], &self->importers[1]);
}

/* The answer to the query is what happens at attach. */
TEST_F(route, attach_agrees)
{
	int node = must(pb_open_node(&self->providers[0], O_RDWR));
	int dmabuf = must(pb_export_at(node, 0, 0, PAGE, NULL));
	int test = must(pb_open_test());
	struct pb_device *device;
	struct peerbuf_verdict verdict;
	unsigned int handle;
	int i;

	for (i = 0; i < 2 * NR; i++) {
		device = i < NR ? &self->providers[i] : &self->importers[i - NR];
		must(pb_route(&self->providers[0].function, &device->function,
			      &verdict));
		EXPECT_EQ(verdict.route == PEERBUF_ROUTE_NONE ? -EOPNOTSUPP : 0,
			  pb_test_attach(test, dmabuf, device,
					 PEERBUF_TEST_REVOCABLE, 0, &handle))
			TH_LOG("%s", device->name);
	}
	close(test);
	close(dmabuf);
	close(node);
}

/*
 * What the administrator decided is on record, where it decides. The kernel limits
 * such lines to ten in five seconds, and the tests before have attached a lot.
 */
TEST_F(route, trust_of_the_administrator_is_logged)
{
	int node = must(pb_open_node(&self->providers[0], O_RDWR));
	int dmabuf = must(pb_export_at(node, 0, 0, PAGE, NULL));
	int test = must(pb_open_test());
	unsigned int handle, before = pb_count_log(ADMIN_NOTICE);
	__u64 deadline = pb_now_ms() + NOTICE_MS;

	do {
		pb_test_attach(test, dmabuf, &self->importers[0],
			       PEERBUF_TEST_REVOCABLE, 0, &handle);
		if (before < pb_count_log(ADMIN_NOTICE))
			break;
		pb_sleep_ms(500);
	} while (pb_expect()->admin && pb_now_ms() < deadline);
	EXPECT_EQ(pb_expect()->admin, before < pb_count_log(ADMIN_NOTICE));
	close(test);
	close(dmabuf);
	close(node);
}

/* The way up is what sysfs says: every directory of the path is a port. */
TEST_F(route, path_is_that_of_sysfs)
{
	struct peerbuf_port_info ports[16];
	struct peerbuf_path_query query = {
		.size = sizeof(query),
		.function = self->importers[0].function,
		.ports = (uintptr_t)ports,
		.nr_ports = ARRAY_SIZE(ports),
	};
	int control = must(pb_open_control());
	char link[64], path[512], name[24];
	const char *at;
	ssize_t length;
	unsigned int i;

	must(pb_ioctl(control, PEERBUF_IOC_PATH, &query));
	snprintf(link, sizeof(link), "/sys/bus/pci/devices/%s",
		 self->importers[0].name);
	length = must(readlink(link, path, sizeof(path) - 1));
	path[length] = '\0';

	for (i = 0; i < query.nr_ports; i++) {
		snprintf(name, sizeof(name), "/%04x:%02x:%02x.%x",
			 ports[i].function.domain, ports[i].function.bus,
			 ports[i].function.devfn >> 3,
			 ports[i].function.devfn & 7);
		at = strstr(path, name);
		ASSERT_NE(NULL, at) TH_LOG("%s is not in %s", name, path);
		EXPECT_EQ(0, strcmp(at, name)) TH_LOG("%s in %s", name, path);
		path[at - path] = '\0';
	}
	EXPECT_EQ(NULL, strchr(strstr(path, "/pci") + 1, '/'))
		TH_LOG("%s is left", path);

	EXPECT_EQ(0x1234, ports[0].vendor);
	EXPECT_EQ(0x11e8, ports[0].device);
	EXPECT_EQ(0, ports[0].flags & PEERBUF_PORT_ACS);
	/* Who stands for the host bridge is on the root bus, and first there. */
	EXPECT_NE(0, query.host.vendor);
	EXPECT_EQ(ports[query.nr_ports - 1].function.domain,
		  query.host.function.domain);
	EXPECT_EQ(ports[query.nr_ports - 1].function.bus,
		  query.host.function.bus);
	EXPECT_GE(ports[query.nr_ports - 1].function.devfn,
		  query.host.function.devfn);

	/* One port less, and it is refused as a whole. */
	query.nr_ports--;
	EXPECT_EQ(-ENOSPC, pb_ioctl(control, PEERBUF_IOC_PATH, &query));
	close(control);
}

TEST_HARNESS_MAIN
