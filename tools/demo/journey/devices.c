// SPDX-License-Identifier: MIT
/* Who takes part: the first drive, the first two ports, and the GPU. */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <xf86drm.h>

#include "journey.h"

#define MAX_CARDS 8

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
	int fd = open(path, O_RDWR | O_CLOEXEC);
	drmVersionPtr version = fd < 0 ? NULL : drmGetVersion(fd);
	bool is = version && !strcmp(version->name, driver);

	drmFreeVersion(version);
	if (fd >= 0)
		close(fd);
	return is;
}

/* For libdrm, a virtio device is the PCI function that it is on. */
static bool take_card(const drmDevice *card, struct device *device)
{
	const drmPciBusInfo *pci = card->businfo.pci;

	if (card->bustype != DRM_BUS_PCI || !(card->available_nodes & 1 << DRM_NODE_PRIMARY) ||
	    !is_driven_by(card->nodes[DRM_NODE_PRIMARY], "virtio_gpu"))
		return false;
	snprintf(device->path, sizeof(device->path), "%s", card->nodes[DRM_NODE_PRIMARY]);
	device->function.domain = pci->domain;
	device->function.bus = pci->bus;
	device->function.devfn = (__u8)(pci->dev << 3 | pci->func);
	return true;
}

static int find_card(struct device *device)
{
	drmDevicePtr cards[MAX_CARDS];
	int count = drmGetDevices2(0, cards, MAX_CARDS), i;

	for (i = 0; i < count; i++) {
		if (take_card(cards[i], device))
			break;
	}
	drmFreeDevices(cards, count);
	return i < count ? 0 : -ENODEV;
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
