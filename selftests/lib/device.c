// SPDX-License-Identifier: GPL-2.0-only
/* PCI functions, as sysfs shows them. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "peerbuf_lib.h"

#define PCI_DEVICES	"/sys/bus/pci/devices"

static int read_file(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length;

	if (fd < 0)
		return -errno;
	length = read(fd, text, size - 1);
	close(fd);
	if (length < 0)
		return -EIO;
	text[length] = '\0';
	return 0;
}

static unsigned int attribute(const char *name, const char *file)
{
	char path[PATH_MAX];
	char text[64];

	snprintf(path, sizeof(path), PCI_DEVICES "/%s/%s", name, file);
	if (read_file(path, text, sizeof(text)))
		return 0;
	return strtoul(text, NULL, 16);
}

static bool parse(const char *name, struct pb_device *device)
{
	unsigned int domain, bus, slot, function;

	if (sscanf(name, "%x:%x:%x.%x", &domain, &bus, &slot, &function) != 4)
		return false;
	memset(device, 0, sizeof(*device));
	device->function.domain = domain;
	device->function.bus = bus;
	device->function.devfn = slot << 3 | function;
	snprintf(device->name, sizeof(device->name), "%04x:%02x:%02x.%x",
		 domain, bus, slot, function);
	return true;
}

/**
 * pb_find() - find PCI functions by what they are
 * @id: vendor << 16 | device
 * @devices: room for @max of them
 * @max: room
 *
 * Return: how many there are, in the order of their addresses.
 */
int pb_find(unsigned int id, struct pb_device *devices, int max)
{
	struct dirent **entries;
	int count, found = 0, i;

	count = scandir(PCI_DEVICES, &entries, NULL, alphasort);
	if (count < 0)
		fail("cannot read " PCI_DEVICES "; is sysfs mounted?");
	for (i = 0; i < count; i++) {
		const char *name = entries[i]->d_name;

		if (found < max && parse(name, &devices[found]) &&
		    attribute(name, "vendor") == id >> 16 &&
		    attribute(name, "device") == (id & 0xffff))
			found++;
		free(entries[i]);
	}
	free(entries);
	return found;
}

static struct pb_device nth(unsigned int id, int index)
{
	struct pb_device devices[8];

	if (pb_find(id, devices, ARRAY_SIZE(devices)) <= index)
		fail("this machine has no device %04x:%04x number %d",
		     id >> 16, id & 0xffff, index);
	return devices[index];
}

/* pb_provider() - Return: the ivshmem device number @index. */
struct pb_device pb_provider(int index)
{
	return nth(PB_IVSHMEM, index);
}

/* pb_importer() - Return: the edu device number @index. */
struct pb_device pb_importer(int index)
{
	return nth(PB_EDU, index);
}

/* pb_drive() - Return: the NVMe controller number @index. */
struct pb_device pb_drive(int index)
{
	return nth(PB_NVME, index);
}

/* pb_port() - Return: the igb port number @index. */
struct pb_device pb_port(int index)
{
	return nth(PB_IGB, index);
}

/* pb_present() - Return: whether the kernel knows @device. */
bool pb_present(const struct pb_device *device)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), PCI_DEVICES "/%s", device->name);
	return !access(path, F_OK);
}

/**
 * pb_bar() - where a BAR lies
 * @device: whose
 * @bar: its number
 * @start: CPU physical address
 * @length: bytes
 *
 * Return: 0 or a negative errno.
 */
int pb_bar(const struct pb_device *device, int bar, __u64 *start,
	   __u64 *length)
{
	unsigned long long first, last;
	char path[PATH_MAX];
	char text[1024];
	char *line = text;
	int ret;

	snprintf(path, sizeof(path), PCI_DEVICES "/%s/resource", device->name);
	ret = read_file(path, text, sizeof(text));
	if (ret)
		return ret;
	while (bar-- && line)
		line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL;
	if (!line || sscanf(line, "%llx %llx", &first, &last) != 2)
		return -EINVAL;
	*start = first;
	*length = last - first + 1;
	return 0;
}

/**
 * pb_bind() - give a function to a driver
 * @device: the function
 * @driver: its name
 *
 * Return: 0 or a negative errno.
 */
int pb_bind(const struct pb_device *device, const char *driver)
{
	char path[PATH_MAX];
	int ret;

	snprintf(path, sizeof(path), PCI_DEVICES "/%s/driver_override",
		 device->name);
	ret = pb_write_file(path, driver);
	if (ret)
		return ret;
	ret = pb_write_file("/sys/bus/pci/drivers_probe", device->name);
	if (!ret && !pb_is_bound(device, driver))
		ret = -ENODEV;
	return ret;
}

/**
 * pb_probe() - give a function to a driver that may have it
 * @device: the function, without a driver
 * @driver: its name
 *
 * Unlike pb_bind(), this says what is wrong.
 *
 * Return: 0 or what the driver's probe returned.
 */
int pb_probe(const struct pb_device *device, const char *driver)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "/sys/bus/pci/drivers/%s/bind", driver);
	return pb_write_file(path, device->name);
}

/* pb_unbind() - take @device from its driver. Return: 0 or a negative errno. */
int pb_unbind(const struct pb_device *device)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), PCI_DEVICES "/%s/driver/unbind",
		 device->name);
	return pb_write_file(path, device->name);
}

/* pb_is_bound() - Return: whether @device belongs to @driver. */
bool pb_is_bound(const struct pb_device *device, const char *driver)
{
	char path[PATH_MAX], target[PATH_MAX];
	const char *base;
	ssize_t length;

	snprintf(path, sizeof(path), PCI_DEVICES "/%s/driver", device->name);
	length = readlink(path, target, sizeof(target) - 1);
	if (length < 0)
		return false;
	target[length] = '\0';
	base = strrchr(target, '/');
	return base && !strcmp(base + 1, driver);
}

/*
 * pb_reset_function() - by the administrator, as opposed to its driver.
 * Return: 0 or a negative errno.
 */
int pb_reset_function(const struct pb_device *device)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), PCI_DEVICES "/%s/reset", device->name);
	return pb_write_file(path, "1");
}

/* pb_remove() - make the kernel forget @device. Return: 0 or a negative errno. */
int pb_remove(const struct pb_device *device)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), PCI_DEVICES "/%s/remove", device->name);
	return pb_write_file(path, "1");
}

/* pb_rescan() - find what is there. Return: 0 or a negative errno. */
int pb_rescan(void)
{
	return pb_write_file("/sys/bus/pci/rescan", "1");
}

/*
 * pb_allow_static() - the administrator's word on static importers of a window.
 * Return: 0 or a negative errno.
 */
int pb_allow_static(const struct pb_device *provider, unsigned int window,
		    int value)
{
	char path[PATH_MAX], text[16];

	snprintf(path, sizeof(path),
		 "/sys/class/peerbuf/%s/window%u/allow_static",
		 provider->name, window);
	snprintf(text, sizeof(text), "%d", value);
	return pb_write_file(path, text);
}

/* pb_same_function() - Return: whether @a and @b are one address. */
bool pb_same_function(const struct peerbuf_function *a,
		      const struct peerbuf_function *b)
{
	return a->domain == b->domain && a->bus == b->bus &&
	       a->devfn == b->devfn;
}
