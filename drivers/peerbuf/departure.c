// SPDX-License-Identifier: GPL-2.0-only
/*
 * Departure: an importer is about to lose its driver.
 *
 * A driver may keep what it has mapped until somebody closes a file, long after
 * its device has gone: DRM drivers do. By then there is no IOMMU domain to unmap
 * from, and no device to tell: virtio-gpu of 7.3 waits for an answer of it, for
 * ever, and with the dma-buf locked. So whatever can be taken back is taken back
 * while the driver still works, and for good. Whoever cannot be told is left to
 * himself.
 */
#include <linux/device/bus.h>
#include <linux/notifier.h>
#include <linux/pci.h>

#include "buffer.h"
#include "departure.h"
#include "export.h"
#include "provider.h"

static void dismiss(struct peerbuf_provider *provider, void *importer)
{
	struct peerbuf_buffer *buffer;
	unsigned long id;

	for (id = 0; (buffer = peerbuf_buffer_hold_next(provider, &id)); id++) {
		peerbuf_export_dismiss(buffer, importer);
		peerbuf_buffer_unhold(buffer);
	}
}

static int on_bus_event(struct notifier_block *notifier, unsigned long event,
			void *device)
{
	if (event == BUS_NOTIFY_UNBIND_DRIVER)
		peerbuf_provider_visit_all(dismiss, device);

	return NOTIFY_DONE;
}

static struct notifier_block departures = {
	.notifier_call = on_bus_event,
};

/**
 * peerbuf_departure_init - watch importers from now on
 *
 * Context: module init, after peerbuf_provider_init().
 *
 * Return: 0 or a negative errno.
 */
int peerbuf_departure_init(void)
{
	return bus_register_notifier(&pci_bus_type, &departures);
}

/**
 * peerbuf_departure_exit - undo peerbuf_departure_init()
 *
 * Context: module exit; no provider exists.
 */
void peerbuf_departure_exit(void)
{
	bus_unregister_notifier(&pci_bus_type, &departures);
}
