// SPDX-License-Identifier: GPL-2.0-only
/* What an administrator can do to a PCI function: reset it, write its registers. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/pci_regs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "peerbuf_lib.h"

#define PCI_DEVICES	"/sys/bus/pci/devices"

static int open_attribute(const struct pb_device *device, const char *name,
			  int flags)
{
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), PCI_DEVICES "/%s/%s", device->name, name);
	fd = open(path, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* pb_attribute_is() - Return: whether sysfs has @text, as a line, for @name. */
bool pb_attribute_is(const struct pb_device *device, const char *name,
		     const char *text)
{
	char line[256];
	int fd = must(open_attribute(device, name, O_RDONLY));
	ssize_t length = read(fd, line, sizeof(line) - 1);

	close(fd);
	if (length < 0)
		fail("cannot read %s of %s", name, device->name);
	line[length] = '\0';
	line[strcspn(line, "\n")] = '\0';
	return !strcmp(line, text);
}

/* pb_set_attribute() - write @text to sysfs. Return: 0 or a negative errno. */
int pb_set_attribute(const struct pb_device *device, const char *name,
		     const char *text)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), PCI_DEVICES "/%s/%s", device->name, name);
	return pb_write_file(path, text);
}

/* pb_reset() - reset the function @device. Return: 0 or a negative errno. */
int pb_reset(const struct pb_device *device)
{
	return pb_set_attribute(device, "reset", "1");
}

/* pb_reset_below() - reset the bus below @port. Return: 0 or a negative errno. */
int pb_reset_below(const struct pb_device *port)
{
	return pb_set_attribute(port, "reset_subordinate", "1");
}

/* pb_port_of() - Return: the bridge that @device is right below. */
struct pb_device pb_port_of(const struct pb_device *device)
{
	unsigned int domain, bus, slot, function;
	char path[PATH_MAX], real[PATH_MAX];
	struct pb_device port = {};
	const char *name;

	snprintf(path, sizeof(path), PCI_DEVICES "/%s/..", device->name);
	if (!realpath(path, real))
		fail("%s is nowhere", device->name);
	name = strrchr(real, '/') + 1;
	if (sscanf(name, "%x:%x:%x.%x", &domain, &bus, &slot, &function) != 4)
		fail("%s is below no bridge, but %s", device->name, real);
	port.function.domain = domain;
	port.function.bus = bus;
	port.function.devfn = slot << 3 | function;
	snprintf(port.name, sizeof(port.name), "%04x:%02x:%02x.%x", domain,
		 bus, slot, function);
	return port;
}

/* pb_config_read() - Return: a register of 16 bits. */
unsigned int pb_config_read(const struct pb_device *device, unsigned int reg)
{
	int fd = must(open_attribute(device, "config", O_RDONLY));
	__u16 value;

	if (pread(fd, &value, sizeof(value), reg) != sizeof(value))
		fail("cannot read register %#x of %s", reg, device->name);
	close(fd);
	return value;
}

/* pb_config_write() - write a register of 16 bits, behind everybody's back. */
void pb_config_write(const struct pb_device *device, unsigned int reg,
		     unsigned int value)
{
	int fd = must(open_attribute(device, "config", O_WRONLY));
	__u16 word = value;

	if (pwrite(fd, &word, sizeof(word), reg) != sizeof(word))
		fail("cannot write register %#x of %s", reg, device->name);
	close(fd);
}

/* pb_express() - Return: where the PCI Express capability of @device begins. */
unsigned int pb_express(const struct pb_device *device)
{
	unsigned int at = pb_config_read(device, PCI_CAPABILITY_LIST) & 0xfc;
	unsigned int most = 48;

	while (at && most--) {
		unsigned int header = pb_config_read(device, at);

		if ((header & 0xff) == PCI_CAP_ID_EXP)
			return at;
		at = header >> 8 & 0xfc;
	}
	fail("%s has no PCI Express capability", device->name);
}
