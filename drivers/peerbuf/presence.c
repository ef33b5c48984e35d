// SPDX-License-Identifier: GPL-2.0-only
/*
 * Presence: does the memory still answer where it was? Drivers tell of what they
 * do and are told of. What happens behind everybody's back (setpci, firmware, a
 * device that fell off the bus) is found here, by looking, while there are
 * buffers.
 *
 * Until it is found, DMA and CPU accesses go where nobody answers: writes are
 * lost, and reads return ones. Nothing else gets them, as bridges go by their
 * own windows.
 */
#include <kunit/visibility.h>
#include <linux/export.h>
#include <linux/jiffies.h>
#include <linux/pci.h>
#include <linux/peerbuf.h>
#include <linux/workqueue.h>

#include "pool.h"
#include "presence.h"
#include "provider.h"
#include "window.h"

/**
 * peerbuf_bar_is_at - does a BAR decode an address
 * @low: the BAR's register
 * @high: the register after it
 * @is_64bit: @high belongs to the BAR
 * @address: PCI bus address that it was assigned
 *
 * Context: any.
 *
 * Return: whether the registers hold @address.
 */
bool peerbuf_bar_is_at(u32 low, u32 high, bool is_64bit, u64 address)
{
	if ((low & PCI_BASE_ADDRESS_MEM_MASK) != lower_32_bits(address))
		return false;

	return (is_64bit ? high : 0) == upper_32_bits(address);
}
EXPORT_SYMBOL_IF_KUNIT(peerbuf_bar_is_at);

static bool bar_is_in_place(struct pci_dev *pdev, int bar)
{
	unsigned long flags = pci_resource_flags(pdev, bar);
	bool is_64bit = flags & IORESOURCE_MEM_64;
	int reg = PCI_BASE_ADDRESS_0 + 4 * bar;
	u32 low, high = 0;

	/* its place is fixed, and its register zero (PCIe 6.0, 7.8.5.3) */
	if (flags & IORESOURCE_PCI_EA_BEI)
		return true;

	pci_read_config_dword(pdev, reg, &low);
	if (is_64bit)
		pci_read_config_dword(pdev, reg + 4, &high);

	return peerbuf_bar_is_at(low, high, is_64bit,
				 pci_bus_address(pdev, bar));
}

static bool decodes_memory(struct pci_dev *pdev)
{
	u16 command;

	/* of virtual functions, their parent decides (PCIe 6.0, 9.3.4.1.3) */
	if (pdev->is_virtfn || pdev->no_command_memory)
		return true;

	pci_read_config_word(pdev, PCI_COMMAND, &command);
	return command & PCI_COMMAND_MEMORY;
}

/**
 * peerbuf_presence_check - does the memory answer where it was
 * @provider: awake
 *
 * Context: process; reads config space.
 *
 * Return: whether the function is there, decodes memory, and has the BARs of its
 * windows where they were when it was registered.
 */
bool peerbuf_presence_check(struct peerbuf_provider *provider)
{
	struct pci_dev *pdev = provider->pdev;
	unsigned int i;

	if (!pci_device_is_present(pdev) || !decodes_memory(pdev))
		return false;
	if (pdev->is_virtfn)
		return true;

	for (i = 0; i < provider->nr_windows; i++)
		if (!bar_is_in_place(pdev, provider->windows[i]->bar))
			return false;

	return true;
}

static bool has_buffers(struct peerbuf_provider *provider)
{
	return READ_ONCE(provider->nr_held);
}

/*
 * A stop for another reason has its own end, and peerbuf_provider_start() looks
 * as well.
 */
static void upkeep(struct work_struct *work)
{
	struct peerbuf_provider *provider =
		container_of(work, struct peerbuf_provider, upkeep.work);
	unsigned int stops = READ_ONCE(provider->stops);

	if (READ_ONCE(provider->gone))
		return;

	if (!stops && has_buffers(provider) &&
	    !peerbuf_presence_check(provider))
		peerbuf_provider_stop(provider, PEERBUF_STOP_LOST);
	else if (stops == BIT(PEERBUF_STOP_LOST) &&
		 (!has_buffers(provider) || peerbuf_presence_check(provider)))
		peerbuf_provider_start(provider, PEERBUF_STOP_LOST);

	if (!READ_ONCE(provider->stops))
		peerbuf_pool_end_unclean(provider);
	if (has_buffers(provider) || READ_ONCE(provider->stops))
		peerbuf_presence_begin(provider);
}

/**
 * peerbuf_presence_init - prepare to look
 * @provider: being allocated
 *
 * Context: process.
 */
void peerbuf_presence_init(struct peerbuf_provider *provider)
{
	INIT_DELAYED_WORK(&provider->upkeep, upkeep);
}

/**
 * peerbuf_presence_begin - there is a buffer: look in a second, or up to two
 * @provider: whose buffer
 *
 * A look is a few config reads, made together with whatever else the CPU does at a
 * full second. The timer is not deferrable, as who waits for the memory to answer
 * again would wait for another reason to wake that CPU up.
 *
 * Context: any.
 */
void peerbuf_presence_begin(struct peerbuf_provider *provider)
{
	queue_delayed_work(system_freezable_wq, &provider->upkeep,
			   round_jiffies_relative(HZ));
}

/**
 * peerbuf_presence_look - look now
 * @provider: of which something is known to have changed
 *
 * Context: any.
 */
void peerbuf_presence_look(struct peerbuf_provider *provider)
{
	mod_delayed_work(system_freezable_wq, &provider->upkeep, 0);
}

/**
 * peerbuf_presence_end - look no more
 * @provider: gone
 *
 * Context: process, may sleep; no lock of @provider held.
 */
void peerbuf_presence_end(struct peerbuf_provider *provider)
{
	disable_delayed_work_sync(&provider->upkeep);
}
