// SPDX-License-Identifier: MIT
/* What sysfs says about modules, PCI devices and their drivers. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

bool path_exists(const char *path)
{
	return !access(path, F_OK);
}

bool module_loaded(const char *module)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/module/%s", module);
	return path_exists(path);
}

static void device_path(const struct peerbuf_function *function, const char *attr,
			char *path, size_t size)
{
	snprintf(path, size, "/sys/bus/pci/devices/%s/%s", name_of(function).text, attr);
}

/* Read an attribute, without its newline. */
int device_attr(const struct peerbuf_function *function, const char *attr, char *value,
		size_t size)
{
	char path[128];
	ssize_t length;
	int fd, err;

	device_path(function, attr, path, sizeof(path));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	length = read(fd, value, size - 1);
	err = -errno;
	close(fd);
	if (length < 0)
		return err;
	value[length] = '\0';
	value[strcspn(value, "\n")] = '\0';
	return 0;
}

int device_id(const struct peerbuf_function *function, unsigned int *vendor,
	      unsigned int *device)
{
	char text[16];
	int err;

	err = device_attr(function, "vendor", text, sizeof(text));
	if (err)
		return err;
	*vendor = (unsigned int)strtoul(text, NULL, 16);
	err = device_attr(function, "device", text, sizeof(text));
	if (err)
		return err;
	*device = (unsigned int)strtoul(text, NULL, 16);
	return 0;
}

/* The driver's name; empty if there is none; -ENODEV if there is no device. */
int device_driver(const struct peerbuf_function *function, char *driver, size_t size)
{
	char path[128], target[PATH_MAX], *slash;
	ssize_t length;

	*driver = '\0';
	device_path(function, "", path, sizeof(path));
	if (!path_exists(path))
		return -ENODEV;
	device_path(function, "driver", path, sizeof(path));
	length = readlink(path, target, sizeof(target) - 1);
	if (length < 0)
		return errno == ENOENT ? 0 : -errno;
	target[length] = '\0';
	slash = strrchr(target, '/');
	snprintf(driver, size, "%s", slash ? slash + 1 : target);
	return 0;
}

/*
 * The function that a root bus is a child of, as with Intel's VMD:
 * .../0000:17:05.5/pci10000:00/pci_bus/10000:00. -ENOENT if there is none.
 */
int root_bus_parent(__u32 domain, __u8 bus, struct peerbuf_function *parent)
{
	char path[64], host[32], target[PATH_MAX], *end;
	ssize_t length;

	snprintf(path, sizeof(path), "/sys/class/pci_bus/%04x:%02x", domain, bus);
	snprintf(host, sizeof(host), "/pci%04x:%02x/", domain, bus);
	length = readlink(path, target, sizeof(target) - 1);
	if (length < 0)
		return -errno;
	target[length] = '\0';
	end = strstr(target, host);
	if (!end)
		return -ENOENT;
	*end = '\0';
	end = strrchr(target, '/');
	return end && !peerbuf_parse_function(end + 1, parent) ? 0 : -ENOENT;
}

int write_file(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), err = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, value, strlen(value)) < 0)
		err = -errno;
	close(fd);
	return err;
}
