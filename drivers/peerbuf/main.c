// SPDX-License-Identifier: GPL-2.0-only
/*
 * peerbuf: PCI device memory as dma-bufs, for peer-to-peer DMA.
 *
 * The way of the data, one file a step: a call comes in (ioctl, control, node),
 * a range is taken (provider, window, pool), becomes a buffer (buffer) and a
 * dma-buf (export); an importer attaches (topology, host_bridge, route) and maps
 * (map), the CPU looks in (cpu_access), and all is taken back (revoke, departure),
 * for good or while the memory does not answer (stop, presence), of which holders
 * are told (watch). Drivers that import share one lifecycle (import). Who did all
 * that is kept (account, counters), charged (dmem) and told (holders, debugfs).
 */
#include <linux/module.h>

#include "control.h"
#include "debugfs.h"
#include "departure.h"
#include "provider.h"

static int __init peerbuf_init(void)
{
	int ret;

	ret = peerbuf_provider_init();
	if (ret)
		return ret;

	peerbuf_debugfs_init();
	ret = peerbuf_departure_init();
	if (ret)
		goto err_provider;

	ret = peerbuf_control_init();
	if (ret)
		goto err_departure;

	return 0;

err_departure:
	peerbuf_departure_exit();
err_provider:
	peerbuf_debugfs_exit();
	peerbuf_provider_exit();
	return ret;
}
module_init(peerbuf_init);

static void __exit peerbuf_exit(void)
{
	peerbuf_control_exit();
	peerbuf_departure_exit();
	peerbuf_debugfs_exit();
	peerbuf_provider_exit();
}
module_exit(peerbuf_exit);

MODULE_DESCRIPTION("PCI device memory as dma-bufs, for peer-to-peer DMA");
MODULE_AUTHOR("The peerbuf developers");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS("DMA_BUF");
