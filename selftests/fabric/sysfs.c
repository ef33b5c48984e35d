// SPDX-License-Identifier: GPL-2.0-only
/* What the kernel made of a description: sysfs and config space. */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fabric.h"

#define PCI_DEVICES	"/sys/bus/pci/devices"

/** fabric_nr_in_domain() - Return: how many functions sysfs has in @domain. */
unsigned int fabric_nr_in_domain(unsigned int domain)
{
	DIR *dir = opendir(PCI_DEVICES);
	unsigned int count = 0;
	struct dirent *entry;
	char *end;

	if (!dir)
		fail("cannot read " PCI_DEVICES "; is sysfs mounted?");
	while ((entry = readdir(dir)))
		count += strtoul(entry->d_name, &end, 16) == domain &&
			 *end == ':' && end != entry->d_name;
	closedir(dir);
	return count;
}

static int open_file(const struct pb_device *device, const char *name, int flags)
{
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), PCI_DEVICES "/%s/%s", device->name, name);
	fd = open(path, flags | O_CLOEXEC);
	if (fd < 0)
		fail("cannot open %s", path);
	return fd;
}

/** fabric_attribute() - Return: a number that sysfs shows for @device. */
unsigned int fabric_attribute(const struct pb_device *device, const char *name)
{
	int fd = open_file(device, name, O_RDONLY);
	char text[32] = "";

	if (read(fd, text, sizeof(text) - 1) <= 0)
		fail("cannot read %s of %s", name, device->name);
	close(fd);
	return strtoul(text, NULL, 0);
}

/** fabric_config_read() - Return: @size bytes of config space. */
__u32 fabric_config_read(const struct pb_device *device, unsigned int where,
			 unsigned int size)
{
	int fd = open_file(device, "config", O_RDONLY);
	__u32 value = 0;

	if (pread(fd, &value, size, where) != (ssize_t)size)
		fail("cannot read config space of %s at %#x", device->name,
		     where);
	close(fd);
	return value;
}

/** fabric_config_write() - write @size bytes of config space. */
void fabric_config_write(const struct pb_device *device, unsigned int where,
			 unsigned int size, __u32 value)
{
	int fd = open_file(device, "config", O_WRONLY);

	if (pwrite(fd, &value, size, where) != (ssize_t)size)
		fail("cannot write config space of %s at %#x", device->name,
		     where);
	close(fd);
}
