// SPDX-License-Identifier: GPL-2.0-only
/* Devices that are pulled out of the machine, and plugged in. */
#include <dirent.h>
#include <errno.h>
#include <linux/pci_regs.h>
#include <stdio.h>
#include <string.h>

#include "peerbuf_lib.h"

#define PATIENCE_MS	30000

static bool is_present(const void *device)
{
	return pb_present(device);
}

static bool is_absent(const void *device)
{
	return !pb_present(device);
}

/* pb_wait_present() - Return: whether the kernel knows @device, soon enough. */
bool pb_wait_present(const struct pb_device *device)
{
	return pb_wait_until(is_present, device, PATIENCE_MS);
}

/* pb_wait_absent() - Return: whether the kernel forgets @device, soon enough. */
bool pb_wait_absent(const struct pb_device *device)
{
	return pb_wait_until(is_absent, device, PATIENCE_MS);
}

/**
 * pb_has_pciehp() - who is told of cards that come and go
 * @port: of the slot
 *
 * Return: whether it is the kernel's own driver for that, not ACPI.
 */
bool pb_has_pciehp(const struct pb_device *port)
{
	DIR *services = opendir("/sys/bus/pci_express/drivers/pciehp");
	struct dirent *service;
	bool has = false;

	if (!services)
		return false;
	/* 0000:80:00.0:pcie004 is one of that port */
	while (!has && (service = readdir(services)))
		has = !strncmp(service->d_name, port->name, strlen(port->name));
	closedir(services);
	return has;
}

/**
 * pb_unplug() - have QEMU ask for a device, and the kernel let go of it
 * @device: the device
 * @id: QEMU's id of it
 *
 * Return: 0 or a negative errno.
 */
int pb_unplug(const struct pb_device *device, const char *id)
{
	char command[64], reply[1024];
	int ret;

	snprintf(command, sizeof(command), "device_del %s", id);
	ret = pb_monitor(command, reply, sizeof(reply));
	if (ret)
		return ret;
	return pb_wait_absent(device) ? 0 : -ETIMEDOUT;
}

/**
 * pb_plug() - give the machine a device, where one was pulled out
 * @device: what it will be
 * @arguments: of QEMU's device_add, but for the bus
 * @bus: by pb_plug_path(), before
 *
 * QEMU frees the id of the former device some time after the guest has let go. The
 * kernel shows a new device while it is still at it, looking for a driver; it has a
 * lock meanwhile that a rescan waits for.
 *
 * Return: 0 or a negative errno.
 */
int pb_plug(const struct pb_device *device, const char *arguments,
	    const char *bus)
{
	__u64 deadline = pb_now_ms() + PATIENCE_MS;
	char command[256], reply[1024];
	int ret;

	snprintf(command, sizeof(command), "device_add %s,bus=%s", arguments,
		 bus);
	do {
		ret = pb_monitor(command, reply, sizeof(reply));
		if (ret)
			pb_sleep_ms(200);
	} while (ret == -EIO && pb_now_ms() < deadline);
	if (ret)
		return ret;
	if (!pb_wait_present(device))
		return -ETIMEDOUT;
	return pb_rescan();
}

/**
 * pb_slot_power() - switch a slot off, or on again, and tell nobody
 * @port: of the slot
 * @on: what to do
 *
 * Without power a device does not answer, as if it had been pulled out. Below a
 * port without pciehp, where ACPI hot-plugs, the kernel learns of it when somebody
 * removes the device, or looks for it.
 */
void pb_slot_power(const struct pb_device *port, bool on)
{
	unsigned int reg = pb_express(port) + PCI_EXP_SLTCTL;
	unsigned int control = pb_config_read(port, reg);

	pb_config_write(port, reg, on ? control & ~PCI_EXP_SLTCTL_PCC :
					control | PCI_EXP_SLTCTL_PCC);
}

/**
 * pb_plug_provider() - plug memory in, where some was pulled out, and bind it
 * @device: what it will be
 * @id: QEMU's id for it, and more of its properties, each after a comma
 * @size: bytes
 * @bus: by pb_plug_path(), before
 *
 * QEMU 10 cannot give a device the memory of one that was pulled out: this has
 * memory of its own, which a GPU can show.
 *
 * Return: 0 or a negative errno.
 */
int pb_plug_provider(const struct pb_device *device, const char *id,
		     size_t size, const char *bus)
{
	static unsigned long long last;
	unsigned long long number = pb_now_ms();
	char text[160], reply[1024];
	int ret;

	/* that of the one before, if it was pulled out */
	if (last) {
		snprintf(text, sizeof(text), "object_del again%llu", last);
		pb_monitor(text, reply, sizeof(reply));
	}
	last = number;
	snprintf(text, sizeof(text),
		 "object_add memory-backend-memfd,id=again%llu,size=%zu,share=on",
		 number, size);
	ret = pb_monitor(text, reply, sizeof(reply));
	if (ret)
		return ret;
	snprintf(text, sizeof(text), "ivshmem-plain,id=%s,memdev=again%llu",
		 id, number);
	ret = pb_plug(device, text, bus);
	return ret ?: pb_bind(device, "peerbuf_pci");
}
