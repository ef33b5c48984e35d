// SPDX-License-Identifier: MIT
/* peerbuf bind, unbind: make a PCI function a provider, and give it back. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"

#define DRIVER "peerbuf_pci"
#define DRIVER_DIR "/sys/bus/pci/drivers/" DRIVER
#define PROBE_PATH "/sys/bus/pci/drivers_probe"

struct target {
	struct name name;
	struct peerbuf_function function;
	char driver[64]; /* empty: none */
};

/* Who is it, and which driver has it? */
static int look_up(const char *text, struct target *target)
{
	int err;

	if (parse_function(text, &target->function))
		return EXIT_ERROR;
	target->name = name_of(&target->function);
	err = device_driver(&target->function, target->driver, sizeof(target->driver));
	if (err == -ENODEV)
		return report("there is no PCI function %s; \"lspci -D\" lists them",
			      target->name.text);
	if (err)
		return report("cannot read the driver of %s: %s", target->name.text,
			      strerror(-err));
	return EXIT_OK;
}

static int report_write(int err, const char *path)
{
	if (err == -EACCES || err == -EPERM)
		return report("cannot write %s: only root may change drivers; try sudo", path);
	return report("cannot write %s: %s", path, strerror(-err));
}

static int set_override(const struct target *target, const char *driver)
{
	char path[128];
	int err;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/driver_override",
		 target->name.text);
	err = write_file(path, driver);
	return err ? report_write(err, path) : EXIT_OK;
}

static int release_driver(const struct target *target)
{
	char path[128];
	int err;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/driver/unbind",
		 target->name.text);
	err = write_file(path, target->name.text);
	return err && err != -ENOENT ? report_write(err, path) : EXIT_OK;
}

/*
 * Let the kernel choose a driver for the function, and read which. That none
 * wants it is not an error here: the caller knows what it hoped for.
 */
static int probe(struct target *target)
{
	int err = write_file(PROBE_PATH, target->name.text);

	if (err == -EACCES || err == -EPERM)
		return report_write(err, PROBE_PATH);
	return look_up(target->name.text, target);
}

/* The function did not become a provider: leave it as it was. */
static int undo_bind(struct target *target, const char *old_driver)
{
	set_override(target, "\n");
	if (*old_driver)
		probe(target);
	return report("%s refused %s; the kernel log says why (dmesg)%s%s", DRIVER,
		      target->name.text, *target->driver ? "; given back to " : "",
		      target->driver);
}

/* Bridges have nothing to lend, and taking their driver cuts off what is below. */
static bool is_bridge(const struct target *target)
{
	char class[16];

	return !device_attr(&target->function, "class", class, sizeof(class)) &&
	       !strncmp(class, "0x06", 4);
}

static int bind(struct target *target, bool force)
{
	char old_driver[sizeof(target->driver)];

	memcpy(old_driver, target->driver, sizeof(old_driver));
	if (!strcmp(old_driver, DRIVER)) {
		printf("%s is a provider already\n", target->name.text);
		return EXIT_OK;
	}
	if (!path_exists(DRIVER_DIR))
		return report("the " DRIVER " module is not loaded; load it: modprobe " DRIVER);
	if (is_bridge(target))
		return report("%s is a bridge, which has no memory to lend", target->name.text);
	if (*old_driver && !force) {
		report("%s is in use by the driver %s", target->name.text, old_driver);
		return advise("--force takes it away; then whatever runs on it fails");
	}

	if (set_override(target, DRIVER))
		return EXIT_ERROR;
	if (*old_driver && release_driver(target)) {
		set_override(target, "\n");
		return EXIT_ERROR;
	}
	if (probe(target))
		return EXIT_ERROR;
	if (strcmp(target->driver, DRIVER))
		return undo_bind(target, old_driver);
	printf("%s is a provider\n", target->name.text);
	return EXIT_OK;
}

/* An override that names another driver is somebody else's: it stays. */
static int clear_override(const struct target *target)
{
	char override[64];

	if (device_attr(&target->function, "driver_override", override, sizeof(override)) ||
	    strcmp(override, DRIVER))
		return EXIT_OK;
	return set_override(target, "\n");
}

static int unbind(struct target *target)
{
	if (strcmp(target->driver, DRIVER))
		return report("%s is not bound to " DRIVER ", but to %s; nothing was changed",
			      target->name.text, *target->driver ? target->driver : "no driver");
	if (clear_override(target) || release_driver(target) || probe(target))
		return EXIT_ERROR;
	if (*target->driver)
		printf("%s is given back to %s\n", target->name.text, target->driver);
	else
		printf("%s has no driver now\n", target->name.text);
	return EXIT_OK;
}

static int run_bind(int argc, char **argv)
{
	static const struct option options[] = {
		{ "force", no_argument, NULL, 'f' },
		{ }
	};
	struct target target;
	bool force = false;
	int option;

	while ((option = getopt_long(argc, argv, ":", options, NULL)) != -1) {
		if (option != 'f')
			return report_option(&verb_bind, option, argv);
		force = true;
	}
	if (argc - optind != 1)
		return report_usage(&verb_bind, "bind needs one function");
	if (look_up(argv[optind], &target))
		return EXIT_ERROR;
	return bind(&target, force);
}

static int run_unbind(int argc, char **argv)
{
	static const struct option options[] = { { } };
	struct target target;
	int option;

	option = getopt_long(argc, argv, ":", options, NULL);
	if (option != -1)
		return report_option(&verb_unbind, option, argv);
	if (argc - optind != 1)
		return report_usage(&verb_unbind, "unbind needs one function");
	if (look_up(argv[optind], &target))
		return EXIT_ERROR;
	return unbind(&target);
}

const struct verb verb_bind = {
	.name = "bind",
	.args = "FUNCTION [--force]",
	.summary = "make a PCI function a provider",
	.help =
	"Binds the driver " DRIVER " to the PCI function (by driver_override), which lends\n"
	"its memory BARs to peerbuf. Needs root.\n"
	"\n"
	"  --force  even if another driver has it, which loses the device\n",
	.error = EXIT_ERROR,
	.run = run_bind,
};

const struct verb verb_unbind = {
	.name = "unbind",
	.args = "FUNCTION",
	.summary = "take a provider away and give the function back",
	.help =
	"Unbinds " DRIVER ": all buffers of the provider are revoked. Then the kernel\n"
	"chooses a driver for the function as it would have. Needs root. Waits for\n"
	"importers that cannot be revoked, if exports allowed such.\n",
	.error = EXIT_ERROR,
	.run = run_unbind,
};
