// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every failure (lib/sweep.h) of the bind and unbind of a provider, and of each
 * importer. A bind that fails leaves the function without a driver, and the
 * next one succeeds; an unbind always does, once the driver was asked.
 */
#include <errno.h>
#include <fcntl.h>
#include <kselftest_harness.h>
#include <sys/mman.h>

#include "sweep.h"

#define RW		(PROT_READ | PROT_WRITE)
#define LENGTH		(4 * PAGE)
#define TIMEOUT		500

/*
 * Left alone, as the kernel (7.3) itself does not bear the failure: /proc/irq, of
 * which a part that could not be made is a WARNING when it is removed; and the ACPI
 * interpreter, which then loses objects of the firmware. It is asked for the
 * interrupt of a function that is enabled, so that is done before.
 */
#define SPARED		"register_irq_proc"

/* Each command of a queue has memory of its own: few of them will do. */
#define QUEUE_DEPTH	2
#define DEFAULT_DEPTH	256

struct scene {
	const struct pb_importer_calls *calls;	/* NULL: a provider */
	const char *driver;
	struct pb_device device;
	struct pb_device provider;
	struct pb_device importer;
	int node;
	int file;
	int test;
	int dmabuf;
	char *memory;
	unsigned int handle;
};

static bool is_bound(struct scene *scene)
{
	return pb_is_bound(&scene->device, scene->driver);
}

static int open_node(struct scene *scene)
{
	return scene->calls ? scene->calls->open(&scene->device) :
			      pb_open_node(&scene->device, O_RDWR);
}

/* No driver, and nothing that is left of one. */
static bool is_free(struct scene *scene)
{
	int node = open_node(scene);

	if (node >= 0)
		close(node);
	return node < 0 && !is_bound(scene);
}

static int bind(struct scene *scene)
{
	return pb_probe(&scene->device, scene->driver);
}

static int unbind(struct scene *scene)
{
	return pb_unbind(&scene->device);
}

/* The kernel says that a function is bound, or not, where no failure is due. */
static void undo_bind(struct scene *scene, int ret)
{
	(void)ret;
	if (!is_bound(scene))
		fail("a bind succeeded, and there is no driver");
	must(unbind(scene));
}

static void expect_unbound(struct scene *scene, int ret)
{
	(void)ret;
	if (is_bound(scene))
		fail("an unbind succeeded, and there is a driver");
}

static void bound(struct scene *scene)
{
	must(bind(scene));
}

static void be_unbound(struct scene *scene)
{
	if (is_bound(scene))
		must(unbind(scene));
}

/* An importer and this process have a buffer of the provider mapped. */
static void use_provider(struct scene *scene)
{
	scene->file = must(open_node(scene));
	scene->dmabuf = must(pb_export_at(scene->file, 0, MIB(1), LENGTH,
					  NULL));
	scene->test = must(pb_open_test());
	must(pb_test_attach(scene->test, scene->dmabuf, &scene->importer,
			    PEERBUF_TEST_REVOCABLE, 0, &scene->handle));
	must(pb_test_call(scene->test, PEERBUF_TEST_MAP, scene->handle));
	scene->memory = pb_map(scene->dmabuf, 0, LENGTH, RW);
	if (pb_touch(scene->memory, true))
		fail("the mapping cannot be used");
}

static void end_use_of_provider(struct scene *scene)
{
	munmap(scene->memory, LENGTH);
	close(scene->test);
}

static void use_importer(struct scene *scene)
{
	scene->file = must(open_node(scene));
	scene->dmabuf = must(pb_export_at(scene->node, 0, MIB(1), LENGTH,
					  NULL));
	must(scene->calls->import(scene->file, scene->dmabuf, &scene->handle));
}

static void bound_in_use(struct scene *scene)
{
	bound(scene);
	if (scene->calls)
		use_importer(scene);
	else
		use_provider(scene);
}

static void end_use(struct scene *scene)
{
	if (!scene->calls)
		end_use_of_provider(scene);
	close(scene->dmabuf);
	close(scene->file);
	be_unbound(scene);
}

/*
 * What the PCI core and others of the kernel say when they have no memory: EBUSY of
 * a BAR to be reserved and of a minor number, EINVAL of a BAR to be mapped, ENODEV
 * and ENOSPC of interrupt vectors.
 */
static const struct pb_operation operations[] = {
	{ "bind", .run = bind, .undo = undo_bind, .refused = is_free,
	  .least = 50, .errors = { EBUSY, EINVAL, ENODEV, ENOSPC } },
	{ "unbind", bound, unbind, expect_unbound, be_unbound, is_bound,
	  .least = 10 },
	{ "unbind in use", bound_in_use, unbind, expect_unbound, end_use,
	  is_bound, .least = 10 },
};

static struct pb_device bind_to_importer(const struct pb_importer_calls *calls)
{
	struct pb_device device = calls->device(1);

	if (calls == &pb_nvme_calls)
		must(pb_nvme_parameter("queue_depth", QUEUE_DEPTH));
	return device;
}

FIXTURE(fault_bind) {
	struct scene scene;
	struct pb_sweep sweep;
};

FIXTURE_VARIANT(fault_bind) {
	const struct pb_importer_calls *calls;
};

FIXTURE_VARIANT_ADD(fault_bind, pci) { .calls = NULL };
FIXTURE_VARIANT_ADD(fault_bind, edu) { .calls = &pb_edu_calls };
FIXTURE_VARIANT_ADD(fault_bind, nvme) { .calls = &pb_nvme_calls };
FIXTURE_VARIANT_ADD(fault_bind, igb) { .calls = &pb_igb_calls };

FIXTURE_SETUP(fault_bind)
{
	struct scene *scene = &self->scene;

	scene->calls = variant->calls;
	scene->driver = scene->calls ? scene->calls->driver : "peerbuf_pci";
	scene->device = scene->calls ? bind_to_importer(scene->calls) :
				       pb_provider(1);
	scene->provider = pb_provider(0);
	scene->importer = pb_usable_importer(&scene->provider);
	scene->node = must(pb_open_node(&scene->provider, O_RDWR));
	must(unbind(scene));
	must(pb_set_attribute(&scene->device, "enable", "1"));
	pb_sweep_begin(&self->sweep, scene, &scene->provider, -1);
	pb_inject_spare(SPARED);
}

FIXTURE_TEARDOWN(fault_bind)
{
	struct scene *scene = &self->scene;

	pb_sweep_end(&self->sweep);
	close(scene->node);
	EXPECT_EQ(0, pb_set_attribute(&scene->device, "enable", "0"));
	if (scene->calls == &pb_nvme_calls)
		must(pb_nvme_parameter("queue_depth", DEFAULT_DEPTH));
	EXPECT_EQ(0, pb_bind(&scene->device, scene->driver));
}

TEST_F_TIMEOUT(fault_bind, every_failure, TIMEOUT)
{
	EXPECT_TRUE(pb_sweep_all(&self->sweep, operations,
				 ARRAY_SIZE(operations)));
}

TEST_HARNESS_MAIN
