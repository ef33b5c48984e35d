// SPDX-License-Identifier: GPL-2.0-only
/*
 * Machines that are not there: every description in machines/ is built, looked
 * at in sysfs, and asked for the routes between all of its functions.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <kselftest_harness.h>
#include <linux/pci_regs.h>

#include "fabric.h"
#include "machines.h"

FIXTURE(machine) {
	struct fabric fabric;
};

/**
 * struct domain_count - what a domain holds
 * @domain: its number
 * @functions: in it
 */
struct domain_count {
	unsigned int domain;
	unsigned int functions;
};

FIXTURE_VARIANT(machine) {
	const char *text;
	struct domain_count domains[4];
};

FIXTURE_VARIANT_ADD(machine, dgx_a100) {
	.text = machine_dgx_a100,
	.domains = { { 0x9001, 50 } },
};

FIXTURE_VARIANT_ADD(machine, epyc) {
	.text = machine_epyc,
	.domains = { { 0x900a, 53 } },
};

FIXTURE_VARIANT_ADD(machine, icelake) {
	.text = machine_icelake,
	.domains = { { 0x9002, 40 } },
};

FIXTURE_VARIANT_ADD(machine, offset) {
	.text = machine_offset,
	.domains = { { 0x9007, 6 }, { 0x9008, 2 }, { 0x9009, 7 } },
};

FIXTURE_VARIANT_ADD(machine, skylake) {
	.text = machine_skylake,
	.domains = { { 0x9003, 18 } },
};

FIXTURE_VARIANT_ADD(machine, vmd) {
	.text = machine_vmd,
	.domains = { { 0x9006, 8 }, { 0x10900, 10 }, { 0x10901, 2 } },
};

FIXTURE_VARIANT_ADD(machine, workstation) {
	.text = machine_workstation,
	.domains = { { 0x9005, 13 } },
};

FIXTURE_VARIANT_ADD(machine, xeon_e5) {
	.text = machine_xeon_e5,
	.domains = { { 0x9004, 10 } },
};

FIXTURE_SETUP(machine)
{
	char message[256];
	int ret;

	fabric_quiet();
	ret = fabric_build(&self->fabric, variant->text, message,
			   sizeof(message));
	ASSERT_EQ(0, ret)
		TH_LOG("%s", message);
}

FIXTURE_TEARDOWN(machine)
{
	fabric_close(&self->fabric);
}

static bool has_domain(const struct domain_count *domain)
{
	return domain->functions != 0;
}

TEST_F(machine, domains_hold_what_is_described)
{
	const struct domain_count *domain;
	unsigned int sum = 0;

	for (domain = variant->domains; has_domain(domain); domain++) {
		EXPECT_EQ(domain->functions, fabric_nr_in_domain(domain->domain))
			TH_LOG("domain %04x", domain->domain);
		sum += domain->functions;
	}
	EXPECT_EQ(sum, self->fabric.nr);
}

TEST_F(machine, is_gone_after_close)
{
	const struct domain_count *domain;
	unsigned int i;

	for (i = 0; i < 3; i++) {
		fabric_close(&self->fabric);
		for (domain = variant->domains; has_domain(domain); domain++)
			EXPECT_EQ(0, fabric_nr_in_domain(domain->domain));
		ASSERT_EQ(0, fabric_build(&self->fabric, variant->text, NULL, 0));
	}
}

/* Next line of a description, without comments' meaning; NULL after the last. */
static const char *next_line(const char **text, char *line, size_t size)
{
	size_t length = strcspn(*text, "\n");

	if (!**text)
		return NULL;
	snprintf(line, size, "%.*s", (int)length, *text);
	*text += length + ((*text)[length] == '\n');
	return line;
}

TEST_F(machine, ids_are_those_described)
{
	const struct fabric_function *function;
	const char *text = variant->text;
	unsigned int vendor, device, class, seen = 0;
	char line[256], name[32];

	while (next_line(&text, line, sizeof(line))) {
		if (strstr(line, " fn 0-") ||
		    sscanf(line, " ep %31s id %x:%x class %4x", name, &vendor,
			   &device, &class) != 4)
			continue;
		function = fabric_find(&self->fabric, name);
		EXPECT_EQ(vendor, fabric_attribute(&function->device, "vendor"));
		EXPECT_EQ(device, fabric_attribute(&function->device, "device"));
		EXPECT_EQ(class, fabric_attribute(&function->device, "class") >> 8);
		seen++;
	}
	EXPECT_LT(0, seen);
}

static const char * const route_names[] = {
	[PEERBUF_ROUTE_NONE] = "none",
	[PEERBUF_ROUTE_BUS] = "bus",
	[PEERBUF_ROUTE_HOST] = "host",
};

static const char * const reason_names[] = {
	[PEERBUF_REASON_SAME_FUNCTION] = "same-function",
	[PEERBUF_REASON_COMMON_BRIDGE] = "common-bridge",
	[PEERBUF_REASON_ACS_REDIRECT] = "acs-redirect",
	[PEERBUF_REASON_HOST_TRUSTED] = "host-trusted",
	[PEERBUF_REASON_HOST_UNTRUSTED] = "host-untrusted",
};

/**
 * struct expectation - a line of a description that starts with #?
 * @provider: name
 * @importer: name
 * @route: name
 * @reason: name
 * @distance: hops, -1 without a route
 */
struct expectation {
	char provider[32];
	char importer[32];
	char route[16];
	char reason[32];
	int distance;
};

/* With some CPUs the kernel does not look at host bridges. */
static void adapt(struct expectation *expect)
{
	if (!fabric_cpu_trusted() || strcmp(expect->route, "none"))
		return;
	snprintf(expect->route, sizeof(expect->route), "host");
	if (!strcmp(expect->reason, "host-untrusted"))
		snprintf(expect->reason, sizeof(expect->reason),
			 "host-trusted");
}

static void meets(struct __test_metadata *_metadata,
		  const struct fabric *fabric, struct expectation *expect)
{
	const struct fabric_function *provider, *importer;
	bool any = expect->distance < 0;
	struct peerbuf_verdict verdict;

	adapt(expect);
	provider = fabric_find(fabric, expect->provider);
	importer = fabric_find(fabric, expect->importer);
	must(pb_route(&provider->device.function, &importer->device.function,
		      &verdict));
	EXPECT_STREQ(expect->route, route_names[verdict.route])
		TH_LOG("%s from %s", expect->provider, expect->importer);
	EXPECT_STREQ(expect->reason, reason_names[verdict.reason])
		TH_LOG("%s from %s", expect->provider, expect->importer);
	if (!any || verdict.route == PEERBUF_ROUTE_NONE)
		EXPECT_EQ(expect->distance, verdict.distance)
			TH_LOG("%s from %s", expect->provider, expect->importer);
}

TEST_F(machine, routes_are_those_described)
{
	const char *text = variant->text;
	struct expectation expect;
	unsigned int seen = 0;
	char line[256];

	while (next_line(&text, line, sizeof(line))) {
		if (sscanf(line, "#? %31s %31s %15s %31s %d", expect.provider,
			   expect.importer, expect.route, expect.reason,
			   &expect.distance) != 5)
			continue;
		meets(_metadata, &self->fabric, &expect);
		seen++;
	}
	EXPECT_LE(3, seen);
}

TEST_F(machine, every_pair_agrees_with_the_kernel)
{
	struct fabric_count count = {};

	fabric_compare(&self->fabric, &count);
	TH_LOG("%lu pairs: %lu bus, %lu host, %lu none", count.pairs,
	       count.routes[PEERBUF_ROUTE_BUS], count.routes[PEERBUF_ROUTE_HOST],
	       count.routes[PEERBUF_ROUTE_NONE]);
	EXPECT_EQ((unsigned long)self->fabric.nr *
		  pb_routes(&self->fabric.functions[0].device.function, NULL, 0),
		  count.pairs);
	EXPECT_EQ(0, count.disagreements);
}

/* The bus address of a 64-bit BAR, as its register has it. */
static __u64 bus_address(const struct pb_device *device, int bar)
{
	unsigned int where = PCI_BASE_ADDRESS_0 + 4 * bar;
	__u32 low = fabric_config_read(device, where, 4);
	__u64 high = 0;

	if (low & PCI_BASE_ADDRESS_MEM_TYPE_64)
		high = fabric_config_read(device, where + 4, 4);
	return high << 32 | (low & ~0xfU);
}

TEST_F(machine, bus_offset_is_that_of_the_bars)
{
	struct peerbuf_verdict verdict;
	const struct pb_device *device;
	unsigned int i, seen = 0;
	__u64 start;
	int bar;

	for (i = 0; i < self->fabric.nr; i++) {
		device = &self->fabric.functions[i].device;
		bar = fabric_first_bar(device, &start);
		if (bar < 0)
			continue;
		must(pb_route(&device->function, &device->function, &verdict));
		EXPECT_EQ((__s64)(bus_address(device, bar) - start),
			  verdict.bus_offset)
			TH_LOG("%s", device->name);
		seen++;
	}
	EXPECT_LT(1, seen);
}

static bool has_acs(const struct pb_device *device)
{
	return (fabric_config_read(device, FABRIC_ACS, 4) & 0xffff) ==
	       PCI_EXT_CAP_ID_ACS;
}

TEST_F(machine, acs_control_is_a_register)
{
	const unsigned int all = 0x7f;
	const struct pb_device *device;
	__u32 cap, ctrl;
	unsigned int i;

	for (i = 0; i < self->fabric.nr; i++) {
		device = &self->fabric.functions[i].device;
		if (!has_acs(device))
			continue;
		cap = fabric_config_read(device, FABRIC_ACS + PCI_ACS_CAP, 2);
		ctrl = fabric_config_read(device, FABRIC_ACS + PCI_ACS_CTRL, 2);
		EXPECT_EQ(0, ctrl & ~cap);
		fabric_config_write(device, FABRIC_ACS + PCI_ACS_CTRL, 2, all);
		fabric_config_write(device, FABRIC_ACS + PCI_ACS_CAP, 2, 0);
		EXPECT_EQ(cap & all, fabric_config_read(device, FABRIC_ACS +
							PCI_ACS_CTRL, 2));
		EXPECT_EQ(cap, fabric_config_read(device, FABRIC_ACS +
						  PCI_ACS_CAP, 2));
		fabric_config_write(device, FABRIC_ACS + PCI_ACS_CTRL, 2, ctrl);
	}
}

/* With redirect on everywhere, nothing but a device itself is on the bus. */
TEST_F(machine, routes_follow_acs_control)
{
	struct fabric_count before = {}, after = {}, restored = {};
	const struct pb_device *device;
	unsigned int i, ports = 0;
	__u16 *saved;

	saved = calloc(self->fabric.nr, sizeof(*saved));
	ASSERT_NE(NULL, saved);
	fabric_compare(&self->fabric, &before);
	for (i = 0; i < self->fabric.nr; i++) {
		device = &self->fabric.functions[i].device;
		if (!fabric_is_bridge(device) || !has_acs(device))
			continue;
		saved[i] = fabric_config_read(device, FABRIC_ACS + PCI_ACS_CTRL,
					      2);
		fabric_config_write(device, FABRIC_ACS + PCI_ACS_CTRL, 2,
				    saved[i] | PCI_ACS_RR | PCI_ACS_CR);
		ports++;
	}
	fabric_compare(&self->fabric, &after);
	for (i = 0; i < self->fabric.nr; i++) {
		device = &self->fabric.functions[i].device;
		if (fabric_is_bridge(device) && has_acs(device))
			fabric_config_write(device, FABRIC_ACS + PCI_ACS_CTRL,
					    2, saved[i]);
	}
	fabric_compare(&self->fabric, &restored);
	free(saved);

	EXPECT_EQ(0, before.disagreements + after.disagreements +
		     restored.disagreements);
	if (ports)
		EXPECT_GT(before.routes[PEERBUF_ROUTE_BUS],
			  after.routes[PEERBUF_ROUTE_BUS]);
	EXPECT_EQ(before.routes[PEERBUF_ROUTE_BUS],
		  restored.routes[PEERBUF_ROUTE_BUS]);
}

/* All that can lend memory, each for each: refused, or given the right addresses. */
TEST_F_TIMEOUT(machine, addresses_are_those_of_the_kernel, 120)
{
	struct fabric_addresses count = {};
	struct fabric_lenders lenders;
	int test = must(pb_open_test());

	fabric_lend(&self->fabric, &lenders);
	fabric_compare_addresses(test, &lenders, &count);
	TH_LOG("%u lenders, %lu pairs: %lu by bus, %lu by host, %lu refused",
	       lenders.nr, count.pairs, count.mapped[PEERBUF_ROUTE_BUS],
	       count.mapped[PEERBUF_ROUTE_HOST],
	       count.mapped[PEERBUF_ROUTE_NONE]);
	EXPECT_LT(1, lenders.nr);
	EXPECT_EQ((unsigned long)lenders.nr * lenders.nr, count.pairs);
	EXPECT_EQ(0, count.different);
	fabric_unlend(&lenders);
	close(test);
}

/* The addresses of BARs, as their registers have them, are what importers get. */
TEST(an_offset_bridge_moves_addresses_by_its_offset)
{
	static const char * const pairs[][2] = {
		{ "disk0", "disk1" }, { "disk1", "disk0" },
		{ "far0", "far1" }, { "far1", "far0" },
	};
	struct peerbuf_test_segment segments[4];
	const struct fabric_function *function;
	struct peerbuf_test_map_info info;
	struct fabric_lenders lenders;
	unsigned int i, j, handle;
	struct fabric fabric;
	__u64 start;
	int test, bar;

	fabric_quiet();
	must(fabric_build(&fabric, machine_offset, NULL, 0));
	fabric_lend(&fabric, &lenders);
	test = must(pb_open_test());
	for (i = 0; i < ARRAY_SIZE(pairs); i++) {
		function = fabric_find(&fabric, pairs[i][0]);
		for (j = 0; j < lenders.nr; j++)
			if (pb_same_function(&lenders.lenders[j].device.function,
					     &function->device.function))
				break;
		ASSERT_GT(lenders.nr, j);
		bar = fabric_first_bar(&function->device, &start);
		ASSERT_EQ(bar, (int)lenders.lenders[j].window.bar);
		must(pb_test_attach(test, lenders.lenders[j].dmabuf,
				    &fabric_find(&fabric, pairs[i][1])->device,
				    PEERBUF_TEST_REVOCABLE, 0, &handle));
		must(pb_test_call(test, PEERBUF_TEST_MAP, handle));
		must(pb_test_map_info(test, handle, &info, segments, 4));
		EXPECT_EQ(bus_address(&function->device, bar),
			  segments[0].address);
		EXPECT_NE(start, segments[0].address);
		TH_LOG("%s for %s: physical %#llx, bus %#llx", pairs[i][0],
		       pairs[i][1], (unsigned long long)start,
		       (unsigned long long)segments[0].address);
		must(pb_test_call(test, PEERBUF_TEST_DETACH, handle));
	}
	close(test);
	fabric_unlend(&lenders);
	fabric_close(&fabric);
}

/*
 * Deliberate: dma_buf_phys_vec_to_sgt() gives an importer a bus address that it
 * cannot express. peerbuf refuses, and says so.
 */
TEST(an_address_beyond_the_mask_is_refused)
{
	static const char description[] =
		"bridge 9 window any 512M\n"
		" port\n"
		"  switch\n"
		"   port\n"
		"    ep wide bar0 64M prefetch\n"
		"   port\n"
		"    ep narrow bar0 64M prefetch mask 32\n"
		"end\n";
	const struct fabric_lender *wide, *narrow;
	struct peerbuf_test_segment segment;
	struct peerbuf_verdict verdict;
	struct fabric_lenders lenders;
	unsigned int handle, nr = 1;
	struct fabric fabric;
	int test;

	fabric_quiet();
	must(fabric_build(&fabric, description, NULL, 0));
	fabric_lend(&fabric, &lenders);
	ASSERT_EQ(2, lenders.nr);
	wide = &lenders.lenders[0];
	narrow = &lenders.lenders[1];
	test = must(pb_open_test());
	ASSERT_LT(~0U, wide->window.phys);

	must(pb_route(&wide->device.function, &narrow->device.function,
		      &verdict));
	EXPECT_EQ(PEERBUF_ROUTE_NONE, verdict.route);
	EXPECT_EQ(PEERBUF_REASON_DMA_MASK, verdict.reason);
	EXPECT_EQ(~0U, verdict.dma_mask);
	EXPECT_EQ(-EOPNOTSUPP, pb_test_attach(test, wide->dmabuf,
					      &narrow->device,
					      PEERBUF_TEST_REVOCABLE, 0,
					      &handle));
	EXPECT_EQ(0, pb_test_attach(test, narrow->dmabuf, &wide->device,
				    PEERBUF_TEST_REVOCABLE, 0, &handle));

	EXPECT_EQ(0, pb_test_oracle(test, &wide->device, wide->window.bar,
				    &narrow->device, wide->ranges, 1, true,
				    &segment, &nr));
	EXPECT_LT(~0U, segment.address);
	close(test);
	fabric_unlend(&lenders);
	fabric_close(&fabric);
}

/**
 * struct mistake - a description that is refused
 * @text: the description
 * @error: errno of the write
 * @message: start of what a read says
 */
struct mistake {
	const char *text;
	int error;
	const char *message;
};

static const struct mistake mistakes[] = {
	{ "end\n", EINVAL, "line 1: there is no bridge" },
	{ "bridge\nend\n", EINVAL, "line 1: 'bridge' needs DOMAIN" },
	{ "bridge 0\nend\n", EINVAL, "line 1: 'bridge' needs DOMAIN" },
	{ "bridge 9:100\n", EINVAL, "line 1: 'bridge' needs DOMAIN" },
	{ " bridge 9\n", EINVAL, "line 1: a bridge is not indented" },
	{ "bridge 9\nport\n", EINVAL, "line 2: 'port' is below nothing" },
	{ "\n# x\nbridge 9\n switch\n", EINVAL, "line 4: a switch is below a port" },
	{ "bridge 9\n ep a\n  ep b\n", EINVAL, "line 3: nothing can be below an ep" },
	{ "bridge 9\n port\n  port\n", EINVAL, "line 3: a port is below" },
	{ "bridge 9\n port\n  switch\n   ep\n", EINVAL, "line 4: an ep is below" },
	{ "bridge 9\n    port\n  ep\n", EINVAL, "line 3: indented like no line" },
	{ "bridge 9\n ep a\n ep a\n", EINVAL, "line 3: there is a 'a' already" },
	{ "bridge 9\n ep a b\n", EINVAL, "line 2: 'b' is not known here" },
	{ "bridge 9 bar0 1M\n", EINVAL, "line 1: 'bar0' does not go with" },
	{ "bridge 9\n ep bar0 3M\n", EINVAL, "line 2: 'bar0' needs a power of two" },
	{ "bridge 9\n ep bar0 8\n", EINVAL, "line 2: 'bar0' needs a power of two" },
	{ "bridge 9\n ep bar0 8G 32\n", EINVAL, "line 2: 'bar0': 32 bits" },
	{ "bridge 9\n ep bar5 1M\n", EINVAL, "line 2: 'bar5' overlaps" },
	{ "bridge 9\n ep bar0 1M bar1 1M\n", EINVAL, "line 2: 'bar1' overlaps" },
	{ "bridge 9\n port dev 32\n", EINVAL, "line 2: 'dev' needs" },
	{ "bridge 9\n ep fn 3-2\n", EINVAL, "line 2: 'fn' needs" },
	{ "bridge 9\n ep fn 8\n", EINVAL, "line 2: 'fn' needs" },
	{ "bridge 9\n port\n  ep dev 1\n", EINVAL, "line 3: no such place" },
	{ "bridge 9\n ep dev 1\n ep dev 1 fn 0\n", EINVAL, "line 3: no such place" },
	{ "bridge 9\n ep dev 1 fn 1\nend\n", EINVAL, "line 2: device 01 on this bus has no" },
	{ "bridge 9\n port id 8086\n", EINVAL, "line 2: 'id' needs" },
	{ "bridge 9\n port id 0:1\n", EINVAL, "line 2: 'id' needs" },
	{ "bridge 9\n ep class 0c03\n", EINVAL, "line 2: an ep cannot be" },
	{ "bridge 9\n ep class 06\n", EINVAL, "line 2: 'class' needs" },
	{ "bridge 9\n port control rr\n", EINVAL, "line 2: 'control' comes after" },
	{ "bridge 9\n port acs sv control rr\n", EINVAL, "line 2: 'control' comes after" },
	{ "bridge 9\n ep mask 65\n", EINVAL, "line 2: 'mask' needs" },
	{ "bridge 9 below x\n", EINVAL, "line 1: 'below' needs the name" },
	{ "bridge 9 window bar0\n", EINVAL, "line 1: 'window bar0' comes after" },
	{ "bridge 9 window any\n", EINVAL, "line 1: 'window' needs" },
	{ "bridge 9 window any 4K\n", EINVAL, "line 1: 'window' needs" },
	{ "bridge 9 window any 0\n", EINVAL, "line 1: 'window' needs" },
	{ "bridge 9 window 0xfffffffffff00000 2M\n", EINVAL, "line 1: 'window' needs" },
	{ "bridge 9 bus 0\n", EINVAL, "line 1: 'bus' comes after" },
	{ "bridge 9\n window any 1M offset 1\n", EINVAL, "line 2: 'offset' needs" },
	{ "bridge 9\nbridge 9:0\nend\n", EINVAL, "line 2: buses 00-00 overlap" },
	{ "bridge 9:ff\n port\nend\n", EINVAL, "line 1: more than 256 buses" },
	{ "bridge 9\nend x\n", EINVAL, "line 2: nothing comes after" },
	{ "bridge 9 window 0x0 1M\nend\n", EBUSY, "line 1: window [mem" },
	{ "bridge 9 window 0x10000000000000 1M\nend\n", ERANGE, "line 1: window [mem" },
	{ "bridge 9 window any 8192T\nend\n", ENOSPC, "line 1: this machine has no hole" },
	{ "bridge 9 window any 2M\n port\n  ep bar0 4M prefetch\nend\n", ENOSPC,
	  "line 3: no room for BAR 0" },
	{ "bridge 9 window any 16M\n port\n  ep bar0 4M\nend\n", ENOSPC,
	  "line 3: no room for BAR 0: it needs a larger window, below 4G" },
	{ "bridge 9 window any 4G bus 0xfffffffffff00000\nend\n", ERANGE,
	  "line 1: window [mem" },
};

TEST(mistakes_are_explained)
{
	struct fabric fabric;
	char message[256];
	size_t i;

	fabric_quiet();
	for (i = 0; i < ARRAY_SIZE(mistakes); i++) {
		EXPECT_EQ(-mistakes[i].error,
			  fabric_build(&fabric, mistakes[i].text, message,
				       sizeof(message)))
			TH_LOG("%s", mistakes[i].text);
		message[strlen(mistakes[i].message)] = '\0';
		EXPECT_STREQ(mistakes[i].message, message);
	}
	EXPECT_EQ(0, fabric_nr_in_domain(9));
}

TEST(domains_of_others_are_theirs)
{
	struct fabric fabric, other;
	char message[256];

	fabric_quiet();
	must(fabric_build(&fabric, "bridge 9\n port\nend\n", NULL, 0));
	EXPECT_EQ(-EBUSY, fabric_build(&other, "bridge 9:80\n port\nend\n",
				       message, sizeof(message)));
	EXPECT_STREQ("line 1: domain 0009 exists: take another\n", message);
	fabric_close(&fabric);
	must(fabric_build(&other, "bridge 9:80\n port\nend\n", NULL, 0));
	fabric_close(&other);
}

/* A description in small pieces; nothing more after its end; no seat left. */
TEST(pieces)
{
	const char *text = "bridge 9 id 8086:2020\n  port a\nend\n";
	char report[256];
	int fd;

	fabric_quiet();
	fd = must(fabric_open());
	for (; *text; text++)
		ASSERT_EQ(1, write(fd, text, 1));
	ASSERT_LT(0, fabric_read(fd, report, sizeof(report)));
	EXPECT_STREQ("- 0009:00:00.0\na 0009:00:01.0\n", report);
	EXPECT_EQ(-EBUSY, fabric_write(fd, "bridge 9\n"));
	close(fd);
	fd = must(fabric_open());
	EXPECT_EQ(-EINVAL, fabric_write(fd, "nonsense\n"));
	EXPECT_EQ(-EINVAL, fabric_write(fd, "bridge 9\n"));
	EXPECT_EQ(-ENOTTY, pb_ioctl(fd, 0, NULL));
	close(fd);
}

/* Deep enough for any machine; deeper would be too much for a kernel stack. */
TEST(depth)
{
	static char text[16384];
	struct fabric fabric;
	char message[256];
	unsigned int i;
	size_t used;

	fabric_quiet();
	used = snprintf(text, sizeof(text), "bridge 9 window any 64M\n port\n");
	for (i = 2; i < 32; i++)
		used += snprintf(text + used, sizeof(text) - used, "%*s%s\n", i,
				 "", i % 2 ? "port" : "switch");
	snprintf(text + used, sizeof(text) - used,
		 "%*sep e bar0 1M prefetch\nend\n", i, "");
	ASSERT_EQ(0, fabric_build(&fabric, text, message, sizeof(message)))
		TH_LOG("%s", message);
	EXPECT_EQ(32, fabric.nr);
	fabric_close(&fabric);

	used += snprintf(text + used, sizeof(text) - used,
			 "%*sswitch\n%*sport\n%*sep\nend\n", i, "", i + 1, "",
			 i + 2, "");
	EXPECT_EQ(-EINVAL, fabric_build(&fabric, text, message,
					sizeof(message)));
	EXPECT_NE(NULL, strstr(message, "ports on top of each other"));
}

/* Whoever still holds what lies in a removed device does no harm. */
TEST(held_after_close)
{
	struct fabric fabric;
	int node, dmabuf;

	fabric_quiet();
	must(fabric_build(&fabric,
			  "bridge 9\n port\n  ep e bar0 64M prefetch\nend\n",
			  NULL, 0));
	must(pb_bind(&fabric_find(&fabric, "e")->device, "peerbuf_pci"));
	node = must(pb_open_node(&fabric_find(&fabric, "e")->device, O_RDWR));
	dmabuf = must(pb_export_at(node, 0, 0, PAGE, NULL));
	fabric_close(&fabric);
	EXPECT_EQ(0, fabric_nr_in_domain(9));
	close(dmabuf);
	close(node);
}

TEST_HARNESS_MAIN
