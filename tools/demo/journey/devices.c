// SPDX-License-Identifier: MIT
/* Who takes part: the first drive, the first two ports, and the GPU. */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <drm/drm.h>

#include "journey.h"

static const struct device cast[NR_DEVICES] = {
	[NVME] = { .name = "NVMe drive", .driver = "peerbuf_nvme", .step = 1,
		   .way = "disk -> A" },
	[NIC0] = { .name = "NIC port 0", .driver = "peerbuf_igb", .step = 2,
		   .way = "A -> wire" },
	[NIC1] = { .name = "NIC port 1", .driver = "peerbuf_igb", .step = 4,
		   .way = "wire -> B", .buffer = 1 },
	[GPU] = { .name = "GPU", .driver = "virtio-gpu", .step = 5, .way = "B -> screen",
		  .buffer = 1 },
};

/* Number @index of the nodes whose name begins with @prefix, by their addresses. */
static int find_node(const char *prefix, size_t index, struct device *device)
{
	char pattern[64];
	int err = -ENODEV;
	glob_t nodes;

	snprintf(pattern, sizeof(pattern), PEERBUF_DEV_DIR "/%s*", prefix);
	if (glob(pattern, 0, NULL, &nodes))
		return -ENODEV;
	if (index < nodes.gl_pathc) {
		snprintf(device->path, sizeof(device->path), "%s", nodes.gl_pathv[index]);
		err = peerbuf_parse_function(device->path + strlen(pattern) - 1,
					     &device->function);
	}
	globfree(&nodes);
	return err;
}

static bool is_driven_by(const char *path, const char *driver)
{
	char name[32] = "";
	struct drm_version version = { .name = name, .name_len = sizeof(name) - 1 };
	int fd = open(path, O_RDWR | O_CLOEXEC);
	bool is;

	if (fd < 0)
		return false;
	is = !call(fd, DRM_IOCTL_VERSION, &version) && !strcmp(name, driver);
	close(fd);
	return is;
}

/* A card's device is a virtio device, which is below a PCI function. */
static int function_of_card(int number, struct peerbuf_function *function)
{
	char link[64], path[PATH_MAX], *part, *next;
	int err = -ENODEV;

	snprintf(link, sizeof(link), "/sys/class/drm/card%d/device", number);
	if (!realpath(link, path))
		return -errno;
	for (part = strtok_r(path, "/", &next); part; part = strtok_r(NULL, "/", &next)) {
		if (!peerbuf_parse_function(part, function))
			err = 0;
	}
	return err;
}

static int find_card(struct device *device)
{
	int i;

	for (i = 0; i < 8; i++) {
		snprintf(device->path, sizeof(device->path), "/dev/dri/card%d", i);
		if (is_driven_by(device->path, "virtio_gpu"))
			return function_of_card(i, &device->function);
	}
	return -ENODEV;
}

int devices_find(struct device devices[NR_DEVICES])
{
	memcpy(devices, cast, sizeof(cast));
	if (find_node("nvme-", 0, &devices[NVME]))
		return fail(0, "no NVMe drive with peerbuf_nvme");
	if (find_node("igb-", 0, &devices[NIC0]) || find_node("igb-", 1, &devices[NIC1]))
		return fail(0, "no two ports with peerbuf_igb");
	if (find_card(&devices[GPU]))
		return fail(0, "no virtio-gpu");
	return 0;
}
