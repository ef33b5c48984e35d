// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit: every branch of routing. A case is a small tree and what must come out.
 *
 *	root complex
 *	 |- 00:00.0 stands for the host bridge
 *	 `- 00:01.0 root port
 *	     `- 01:00.0 switch, upstream port
 *	         |- 02:00.0 downstream port - 03:00.0 and 03:00.1
 *	         `- 02:01.0 downstream port - 04:00.0
 *	 `- 00:02.0 root port - 05:00.0
 */
#include <kunit/test.h>
#include <linux/bits.h>
#include <linux/pci.h>

#include "../route.h"

#define MAX_DEPTH	4

struct route_case {
	const char *name;
	/* bus << 8 | devfn, from the function up to the root, 0 ends */
	u16 provider[MAX_DEPTH + 1];
	u16 importer[MAX_DEPTH + 1];
	/* the port with ACS control bits, if any */
	u16 acs_at;
	u16 acs;
	bool trusted;
	bool admin;
	/* what the kernel said: 0 not asked, 1 reachable, -1 not */
	int kernel;
	bool iommu;
	enum peerbuf_class class;
	bool allow_pinned;
	bool allow_static;
	bool direct;
	/* zero for 64 bits */
	u64 mask;
	s64 bus_offset;
	enum peerbuf_route route;
	enum peerbuf_reason reason;
	int distance;
	/* zero for none */
	u16 blocker;
	/* but for the IOMMU's and the blocker's */
	u32 flags;
};

#define FN(bus, slot, func)	((bus) << 8 | PCI_DEVFN(slot, func))
#define SWITCH_PATH(fn, port)	{ fn, port, FN(1, 0, 0), FN(0, 1, 0) }

#define BEHIND_SWITCH							\
	.provider = SWITCH_PATH(FN(3, 0, 0), FN(2, 0, 0)),		\
	.importer = SWITCH_PATH(FN(4, 0, 0), FN(2, 1, 0))
#define BELOW_ROOT_PORTS						\
	.provider = SWITCH_PATH(FN(3, 0, 0), FN(2, 0, 0)),		\
	.importer = { FN(5, 0, 0), FN(0, 2, 0) }

#define HOST_FUNCTION	FN(0, 0, 0)
#define PHYS_LAST	(SZ_4G - 1)

static const struct route_case route_cases[] = {
	{
		.name = "the provider itself",
		.provider = SWITCH_PATH(FN(3, 0, 0), FN(2, 0, 0)),
		.importer = SWITCH_PATH(FN(3, 0, 0), FN(2, 0, 0)),
		.route = PEERBUF_ROUTE_BUS,
		.reason = PEERBUF_REASON_SAME_FUNCTION,
		.distance = 0,
	}, {
		.name = "another function of the device",
		.provider = SWITCH_PATH(FN(3, 0, 0), FN(2, 0, 0)),
		.importer = SWITCH_PATH(FN(3, 0, 1), FN(2, 0, 0)),
		.route = PEERBUF_ROUTE_BUS,
		.reason = PEERBUF_REASON_COMMON_BRIDGE,
		.distance = 2,
	}, {
		.name = "across a switch",
		BEHIND_SWITCH,
		.route = PEERBUF_ROUTE_BUS,
		.reason = PEERBUF_REASON_COMMON_BRIDGE,
		.distance = 4,
	}, {
		.name = "across a switch, host trust does not matter",
		BEHIND_SWITCH,
		.trusted = true,
		.iommu = true,
		.route = PEERBUF_ROUTE_BUS,
		.reason = PEERBUF_REASON_COMMON_BRIDGE,
		.distance = 4,
	}, {
		.name = "request redirect at the provider's port, trusted",
		BEHIND_SWITCH,
		.acs_at = FN(2, 0, 0), .acs = PCI_ACS_RR,
		.trusted = true,
		.route = PEERBUF_ROUTE_HOST,
		.reason = PEERBUF_REASON_ACS_REDIRECT,
		.distance = 4,
		.blocker = FN(2, 0, 0),
	}, {
		.name = "completion redirect at the importer's port, trusted",
		BEHIND_SWITCH,
		.acs_at = FN(2, 1, 0), .acs = PCI_ACS_CR,
		.trusted = true,
		.route = PEERBUF_ROUTE_HOST,
		.reason = PEERBUF_REASON_ACS_REDIRECT,
		.distance = 4,
		.blocker = FN(2, 1, 0),
	}, {
		.name = "egress control at the common port, untrusted",
		BEHIND_SWITCH,
		.acs_at = FN(1, 0, 0), .acs = PCI_ACS_EC,
		.route = PEERBUF_ROUTE_NONE,
		.reason = PEERBUF_REASON_ACS_REDIRECT,
		.distance = -1,
		.blocker = FN(1, 0, 0),
	}, {
		.name = "redirect by the importer's own function",
		.provider = SWITCH_PATH(FN(3, 0, 0), FN(2, 0, 0)),
		.importer = SWITCH_PATH(FN(3, 0, 1), FN(2, 0, 0)),
		.acs_at = FN(3, 0, 1), .acs = PCI_ACS_RR,
		.trusted = true,
		.route = PEERBUF_ROUTE_HOST,
		.reason = PEERBUF_REASON_ACS_REDIRECT,
		.distance = 2,
		.blocker = FN(3, 0, 1),
	}, {
		.name = "redirect above the common bridge is not on the way",
		BEHIND_SWITCH,
		.acs_at = FN(0, 1, 0), .acs = PCI_ACS_RR | PCI_ACS_CR,
		.route = PEERBUF_ROUTE_BUS,
		.reason = PEERBUF_REASON_COMMON_BRIDGE,
		.distance = 4,
	}, {
		.name = "source validation does not redirect",
		BEHIND_SWITCH,
		.acs_at = FN(2, 0, 0), .acs = PCI_ACS_SV | PCI_ACS_UF,
		.route = PEERBUF_ROUTE_BUS,
		.reason = PEERBUF_REASON_COMMON_BRIDGE,
		.distance = 4,
	}, {
		.name = "a port that does not answer counts as redirecting",
		BEHIND_SWITCH,
		.acs_at = FN(2, 0, 0), .acs = 0xffff,
		.route = PEERBUF_ROUTE_NONE,
		.reason = PEERBUF_REASON_ACS_REDIRECT,
		.distance = -1,
		.blocker = FN(2, 0, 0),
	}, {
		.name = "two root ports, trusted",
		BELOW_ROOT_PORTS,
		.trusted = true,
		.route = PEERBUF_ROUTE_HOST,
		.reason = PEERBUF_REASON_HOST_TRUSTED,
		.distance = 6,
	}, {
		.name = "two root ports, untrusted",
		BELOW_ROOT_PORTS,
		.route = PEERBUF_ROUTE_NONE,
		.reason = PEERBUF_REASON_HOST_UNTRUSTED,
		.distance = -1,
		.blocker = HOST_FUNCTION,
	}, {
		.name = "redirect without a common bridge is no reason",
		BELOW_ROOT_PORTS,
		.acs_at = FN(0, 2, 0), .acs = PCI_ACS_RR,
		.trusted = true,
		.route = PEERBUF_ROUTE_HOST,
		.reason = PEERBUF_REASON_HOST_TRUSTED,
		.distance = 6,
	}, {
		.name = "not PCI",
		.provider = { FN(5, 0, 0), FN(0, 2, 0) },
		.trusted = true,
		.route = PEERBUF_ROUTE_NONE,
		.reason = PEERBUF_REASON_NOT_PCI,
		.distance = -1,
	}, {
		.name = "pinned importer, not allowed",
		BEHIND_SWITCH,
		.class = PEERBUF_CLASS_PINNED,
		.route = PEERBUF_ROUTE_NONE,
		.reason = PEERBUF_REASON_NOT_REVOCABLE,
		.distance = -1,
	}, {
		.name = "pinned importer, allowed",
		BEHIND_SWITCH,
		.class = PEERBUF_CLASS_PINNED,
		.allow_pinned = true,
		.route = PEERBUF_ROUTE_BUS,
		.reason = PEERBUF_REASON_COMMON_BRIDGE,
		.distance = 4,
	}, {
		.name = "static importer",
		BEHIND_SWITCH,
		.class = PEERBUF_CLASS_STATIC,
		.allow_pinned = true,
		.route = PEERBUF_ROUTE_NONE,
		.reason = PEERBUF_REASON_STATIC,
		.distance = -1,
	}, {
		.name = "static importer, allowed by both",
		BEHIND_SWITCH,
		.class = PEERBUF_CLASS_STATIC,
		.allow_static = true,
		.route = PEERBUF_ROUTE_BUS,
		.reason = PEERBUF_REASON_COMMON_BRIDGE,
		.distance = 4,
	}, {
		.name = "direct required, and it is",
		BEHIND_SWITCH,
		.direct = true,
		.route = PEERBUF_ROUTE_BUS,
		.reason = PEERBUF_REASON_COMMON_BRIDGE,
		.distance = 4,
	}, {
		.name = "direct required, but the host bridge is in the way",
		BELOW_ROOT_PORTS,
		.trusted = true, .direct = true,
		.route = PEERBUF_ROUTE_NONE,
		.reason = PEERBUF_REASON_DIRECT_REQUIRED,
		.distance = -1,
	}, {
		.name = "trusted by the administrator",
		BELOW_ROOT_PORTS,
		.trusted = true, .admin = true, .kernel = -1,
		.route = PEERBUF_ROUTE_HOST,
		.reason = PEERBUF_REASON_HOST_TRUSTED,
		.distance = 6,
		.flags = PEERBUF_VERDICT_ADMIN | PEERBUF_VERDICT_KERNEL |
			 PEERBUF_VERDICT_DISAGREES,
	}, {
		.name = "the administrator's word is not needed on a bus route",
		BEHIND_SWITCH,
		.trusted = true, .admin = true, .kernel = 1,
		.route = PEERBUF_ROUTE_BUS,
		.reason = PEERBUF_REASON_COMMON_BRIDGE,
		.distance = 4,
		.flags = PEERBUF_VERDICT_KERNEL,
	}, {
		.name = "the kernel agrees that there is no way",
		BELOW_ROOT_PORTS,
		.kernel = -1,
		.route = PEERBUF_ROUTE_NONE,
		.reason = PEERBUF_REASON_HOST_UNTRUSTED,
		.distance = -1,
		.blocker = HOST_FUNCTION,
		.flags = PEERBUF_VERDICT_KERNEL,
	}, {
		.name = "the kernel thinks that there is a way",
		BEHIND_SWITCH,
		.acs_at = FN(2, 0, 0), .acs = PCI_ACS_RR, .kernel = 1,
		.route = PEERBUF_ROUTE_NONE,
		.reason = PEERBUF_REASON_ACS_REDIRECT,
		.distance = -1,
		.blocker = FN(2, 0, 0),
		.flags = PEERBUF_VERDICT_KERNEL | PEERBUF_VERDICT_DISAGREES,
	}, {
		.name = "policy is not compared with the kernel",
		BEHIND_SWITCH,
		.class = PEERBUF_CLASS_STATIC, .kernel = 1,
		.route = PEERBUF_ROUTE_NONE,
		.reason = PEERBUF_REASON_STATIC,
		.distance = -1,
		.flags = PEERBUF_VERDICT_KERNEL,
	}, {
		.name = "topology is reported before policy",
		BELOW_ROOT_PORTS,
		.class = PEERBUF_CLASS_STATIC,
		.route = PEERBUF_ROUTE_NONE,
		.reason = PEERBUF_REASON_HOST_UNTRUSTED,
		.distance = -1,
		.blocker = HOST_FUNCTION,
	}, {
		.name = "32-bit mask reaches the last byte below 4 GiB",
		BEHIND_SWITCH,
		.mask = U32_MAX,
		.route = PEERBUF_ROUTE_BUS,
		.reason = PEERBUF_REASON_COMMON_BRIDGE,
		.distance = 4,
	}, {
		.name = "32-bit mask and a bus offset upwards",
		BEHIND_SWITCH,
		.mask = U32_MAX, .bus_offset = SZ_4K,
		.route = PEERBUF_ROUTE_NONE,
		.reason = PEERBUF_REASON_DMA_MASK,
		.distance = -1,
	}, {
		.name = "28-bit mask and a bus offset downwards",
		BEHIND_SWITCH,
		.mask = SZ_256M - 1, .bus_offset = -(s64)(SZ_4G - SZ_256M),
		.route = PEERBUF_ROUTE_BUS,
		.reason = PEERBUF_REASON_COMMON_BRIDGE,
		.distance = 4,
	}, {
		.name = "28-bit mask, host route",
		BELOW_ROOT_PORTS,
		.trusted = true, .mask = SZ_256M - 1,
		.route = PEERBUF_ROUTE_NONE,
		.reason = PEERBUF_REASON_DMA_MASK,
		.distance = -1,
	}, {
		.name = "28-bit mask, host route, the IOMMU makes it fit",
		BELOW_ROOT_PORTS,
		.trusted = true, .iommu = true, .mask = SZ_256M - 1,
		.route = PEERBUF_ROUTE_HOST,
		.reason = PEERBUF_REASON_HOST_TRUSTED,
		.distance = 6,
	}, {
		.name = "28-bit mask, bus route, the IOMMU does not help",
		BEHIND_SWITCH,
		.iommu = true, .mask = SZ_256M - 1,
		.route = PEERBUF_ROUTE_NONE,
		.reason = PEERBUF_REASON_DMA_MASK,
		.distance = -1,
	},
};

KUNIT_ARRAY_PARAM_DESC(route, route_cases, name);

static struct peerbuf_port make_port(const struct route_case *c, u16 address)
{
	return (struct peerbuf_port) {
		.function = { .bus = address >> 8, .devfn = address & 0xff },
		.vendor = 0x1234,
		.device = address,
		.acs_ctrl = address == c->acs_at ? c->acs : 0,
	};
}

static void make_path(const struct route_case *c, const u16 *addresses,
		      struct peerbuf_port *ports, struct peerbuf_path *path)
{
	path->ports = ports;
	for (path->nr = 0; addresses[path->nr]; path->nr++)
		ports[path->nr] = make_port(c, addresses[path->nr]);
}

static void route_test(struct kunit *test)
{
	const struct route_case *c = test->param_value;
	struct peerbuf_port provider[MAX_DEPTH], importer[MAX_DEPTH];
	struct peerbuf_facts facts = {
		.host = make_port(c, HOST_FUNCTION),
		.host_trusted = c->trusted,
		.host_admin = c->admin,
		.kernel_asked = c->kernel,
		.kernel_reachable = c->kernel > 0,
		.iommu = c->iommu,
		.class = c->class,
		.allow_pinned = c->allow_pinned,
		.allow_static = c->allow_static,
		.direct = c->direct,
		.dma_mask = c->mask ?: U64_MAX,
		.phys_last = PHYS_LAST,
		.bus_offset = c->bus_offset,
	};
	struct peerbuf_verdict verdict;
	u16 blocker;

	make_path(c, c->provider, provider, &facts.provider);
	make_path(c, c->importer, importer, &facts.importer);
	peerbuf_route(&facts, &verdict);

	KUNIT_EXPECT_EQ(test, verdict.route, c->route);
	KUNIT_EXPECT_EQ(test, verdict.reason, c->reason);
	KUNIT_EXPECT_EQ(test, verdict.distance, c->distance);
	KUNIT_EXPECT_EQ(test, verdict.bus_offset, c->bus_offset);
	KUNIT_EXPECT_EQ(test, verdict.dma_mask, facts.dma_mask);
	KUNIT_EXPECT_EQ(test, verdict.flags & ~PEERBUF_VERDICT_BLOCKER,
			c->flags | (c->iommu ? PEERBUF_VERDICT_IOMMU : 0));

	blocker = verdict.blocker.bus << 8 | verdict.blocker.devfn;
	KUNIT_EXPECT_EQ(test, blocker, c->blocker);
	if (verdict.flags & PEERBUF_VERDICT_BLOCKER)
		KUNIT_EXPECT_EQ(test, verdict.blocker_id,
				0x1234 << 16 | blocker);
	else
		KUNIT_EXPECT_EQ(test, verdict.blocker_id, 0);

	KUNIT_EXPECT_EQ(test, peerbuf_route_errno(&verdict),
			c->route == PEERBUF_ROUTE_NONE ? -EOPNOTSUPP : 0);
}

/* A host bridge without a function to stand for it leaves nobody to blame. */
static void no_host_function_test(struct kunit *test)
{
	struct peerbuf_port a = { .function.bus = 1 }, b = { .function.bus = 2 };
	struct peerbuf_facts facts = {
		.provider = { &a, 1 },
		.importer = { &b, 1 },
		.dma_mask = U64_MAX,
	};
	struct peerbuf_verdict verdict;

	peerbuf_route(&facts, &verdict);
	KUNIT_EXPECT_EQ(test, verdict.reason, PEERBUF_REASON_HOST_UNTRUSTED);
	KUNIT_EXPECT_EQ(test, verdict.flags, 0);
}

/* Functions with the same number in two domains are not the same. */
static void domain_test(struct kunit *test)
{
	struct peerbuf_port a = { .function.bus = 1 };
	struct peerbuf_port b = { .function.bus = 1, .function.domain = 0x10000 };
	struct peerbuf_facts facts = {
		.provider = { &a, 1 },
		.importer = { &b, 1 },
		.host_trusted = true,
		.dma_mask = U64_MAX,
	};
	struct peerbuf_verdict verdict;

	peerbuf_route(&facts, &verdict);
	KUNIT_EXPECT_EQ(test, verdict.route, PEERBUF_ROUTE_HOST);
	KUNIT_EXPECT_EQ(test, verdict.reason, PEERBUF_REASON_HOST_TRUSTED);
}

static void errno_test(struct kunit *test)
{
	struct peerbuf_verdict verdict = { .route = PEERBUF_ROUTE_NONE };

	verdict.reason = PEERBUF_REASON_REVOKED;
	KUNIT_EXPECT_EQ(test, peerbuf_route_errno(&verdict), -ENODEV);
	verdict.reason = PEERBUF_REASON_PROVIDER_GONE;
	KUNIT_EXPECT_EQ(test, peerbuf_route_errno(&verdict), -ENODEV);
	verdict.reason = PEERBUF_REASON_READ_ONLY;
	KUNIT_EXPECT_EQ(test, peerbuf_route_errno(&verdict), -EACCES);
	verdict.reason = PEERBUF_REASON_STOPPED;
	KUNIT_EXPECT_EQ(test, peerbuf_route_errno(&verdict), -EAGAIN);
}

static void reason_text_test(struct kunit *test)
{
	u32 a, b;

	for (a = PEERBUF_REASON_SAME_FUNCTION;
	     a <= PEERBUF_REASON_STOPPED; a++)
		for (b = 0; b < a; b++)
			KUNIT_EXPECT_STRNEQ(test, peerbuf_reason_text(a),
					    peerbuf_reason_text(b));
}

static struct kunit_case route_kunit_cases[] = {
	KUNIT_CASE_PARAM(route_test, route_gen_params),
	KUNIT_CASE(no_host_function_test),
	KUNIT_CASE(domain_test),
	KUNIT_CASE(errno_test),
	KUNIT_CASE(reason_text_test),
	{}
};

static struct kunit_suite route_suite = {
	.name = "peerbuf_route",
	.test_cases = route_kunit_cases,
};

kunit_test_suite(route_suite);

MODULE_DESCRIPTION("KUnit tests of peerbuf");
MODULE_AUTHOR("The peerbuf developers");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS("EXPORTED_FOR_KUNIT_TESTING");
