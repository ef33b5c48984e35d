// SPDX-License-Identifier: GPL-2.0-only
/* The tree that a description describes: places on buses, and bus numbers. */
#include <linux/list.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "fabric.h"

/* What a function is when the description does not say. */
static const struct {
	u16 vendor;
	u16 device;
	u32 class;
} defaults[] = {
	[FABRIC_HOST_FUNCTION] = {
		PCI_VENDOR_ID_REDHAT, 0x0008, PCI_CLASS_BRIDGE_HOST << 8
	},
	[FABRIC_ROOT_PORT] = {
		PCI_VENDOR_ID_REDHAT, 0x000c, PCI_CLASS_BRIDGE_PCI_NORMAL
	},
	[FABRIC_UPSTREAM] = {
		PCI_VENDOR_ID_TI, 0x8232, PCI_CLASS_BRIDGE_PCI_NORMAL
	},
	[FABRIC_DOWNSTREAM] = {
		PCI_VENDOR_ID_TI, 0x8233, PCI_CLASS_BRIDGE_PCI_NORMAL
	},
	[FABRIC_ENDPOINT] = {
		PCI_VENDOR_ID_REDHAT, 0x0005, PCI_CLASS_OTHERS << 16
	},
	[FABRIC_INTEGRATED] = {
		PCI_VENDOR_ID_REDHAT, 0x0005, PCI_CLASS_OTHERS << 16
	},
};

/**
 * fabric_is_port() - are there buses below
 * @function: what is asked about
 *
 * Return: true for all kinds that have a secondary bus.
 */
bool fabric_is_port(const struct fabric_function *function)
{
	return function->kind == FABRIC_ROOT_PORT ||
	       function->kind == FABRIC_UPSTREAM ||
	       function->kind == FABRIC_DOWNSTREAM;
}

/* A link leads to one device; root buses and those in switches have room. */
static bool below_link(const struct fabric_function *function)
{
	return function->parent && function->parent->kind != FABRIC_UPSTREAM;
}

static struct list_head *bus_of(struct fabric_function *function)
{
	return function->parent ? &function->parent->children :
				  &function->host->functions;
}

/**
 * fabric_add_host() - one more host bridge
 * @fabric: the file
 *
 * Return: the host bridge, or NULL without memory.
 */
struct fabric_host *fabric_add_host(struct fabric *fabric)
{
	struct fabric_host *host = kzalloc_obj(*host);

	if (!host)
		return NULL;

	INIT_LIST_HEAD(&host->functions);
	raw_spin_lock_init(&host->lock);
	host->line = fabric->line_nr;
	list_add_tail(&host->node, &fabric->hosts);
	return host;
}

/**
 * fabric_add_function() - one more function, without a place on its bus yet
 * @fabric: the file
 * @host: the host bridge above
 * @parent: the port above, NULL on the root bus
 * @kind: what it is
 *
 * Return: the function, or NULL without memory.
 */
struct fabric_function *fabric_add_function(struct fabric *fabric,
					    struct fabric_host *host,
					    struct fabric_function *parent,
					    enum fabric_kind kind)
{
	struct fabric_function *function = kzalloc_obj(*function);

	if (!function)
		return NULL;

	INIT_LIST_HEAD(&function->children);
	function->host = host;
	function->parent = parent;
	function->kind = kind;
	function->line = fabric->line_nr;
	function->vendor = defaults[kind].vendor;
	function->device = defaults[kind].device;
	function->class = defaults[kind].class;
	function->mask_bits = 64;
	function->depth = parent ? parent->depth + 1 : 0;
	list_add_tail(&function->node, bus_of(function));
	fabric->nr_functions++;
	return function;
}

static bool is_free(struct fabric_function *function, u8 devfn)
{
	struct fabric_function *other;

	list_for_each_entry(other, bus_of(function), node)
		if (other != function && other->devfn == devfn)
			return false;

	return true;
}

static bool device_is_free(struct fabric_function *function, int device)
{
	int fn;

	for (fn = 0; fn < 8; fn++)
		if (!is_free(function, PCI_DEVFN(device, fn)))
			return false;

	return true;
}

static void sort_in(struct fabric_function *function)
{
	struct list_head *bus = bus_of(function);
	struct fabric_function *other;

	list_del(&function->node);
	list_for_each_entry(other, bus, node)
		if (other->devfn > function->devfn)
			break;
	list_add_tail(&function->node, &other->node);
}

/**
 * fabric_place() - give a function its place on its bus
 * @function: the function, last on its bus until now
 * @device: device number, -1 for the first that is not used
 * @fn: function number, -1 for the first that is not used
 *
 * Return: false if the place is taken, or cannot exist.
 */
bool fabric_place(struct fabric_function *function, int device, int fn)
{
	if (below_link(function)) {
		if (device > 0)
			return false;
		device = 0;
	}
	if (device < 0)
		for (device = 0; device < 32; device++)
			if (device_is_free(function, device))
				break;
	if (fn < 0)
		for (fn = 0; fn < 8; fn++)
			if (is_free(function, PCI_DEVFN(device, fn)))
				break;
	if (device > 31 || fn > 7 || !is_free(function, PCI_DEVFN(device, fn)))
		return false;

	function->devfn = PCI_DEVFN(device, fn);
	sort_in(function);
	return true;
}

/**
 * fabric_is_multifunction() - has its device other functions
 * @function: what is asked about
 *
 * Return: true if so.
 */
bool fabric_is_multifunction(struct fabric_function *function)
{
	struct fabric_function *other;

	list_for_each_entry(other, bus_of(function), node)
		if (other != function &&
		    PCI_SLOT(other->devfn) == PCI_SLOT(function->devfn))
			return true;

	return false;
}

/**
 * fabric_next_function() - walk the functions of a host, ports before what is
 * below them
 * @host: the host bridge
 * @function: where the walk is, NULL to start
 *
 * Return: the next function, NULL after the last.
 */
struct fabric_function *fabric_next_function(struct fabric_host *host,
					     struct fabric_function *function)
{
	if (!function)
		return list_first_entry_or_null(&host->functions,
						struct fabric_function, node);
	if (!list_empty(&function->children))
		return list_first_entry(&function->children,
					struct fabric_function, node);

	while (function && list_is_last(&function->node, bus_of(function)))
		function = function->parent;

	return function ? list_next_entry(function, node) : NULL;
}

/**
 * fabric_find_name() - a function by its name
 * @fabric: the file
 * @name: its name
 *
 * Return: the function or NULL.
 */
struct fabric_function *fabric_find_name(struct fabric *fabric,
					 const char *name)
{
	struct fabric_function *function;
	struct fabric_host *host;

	list_for_each_entry(host, &fabric->hosts, node)
		for (function = fabric_next_function(host, NULL); function;
		     function = fabric_next_function(host, function))
			if (!strcmp(function->name, name))
				return function;

	return NULL;
}

/* Where the host bridges of the same domain that come before leave room. */
static int first_bus(struct fabric *fabric, struct fabric_host *host)
{
	struct fabric_host *other;
	int bus = 0;

	list_for_each_entry(other, &fabric->hosts, node) {
		if (other == host)
			break;
		if (other->domain == host->domain)
			bus = max(bus, other->bus_last + 1);
	}

	return bus;
}

static struct fabric_host *find_overlap(struct fabric *fabric,
					struct fabric_host *host)
{
	struct fabric_host *other;

	list_for_each_entry(other, &fabric->hosts, node) {
		if (other == host)
			break;
		if (other->domain == host->domain &&
		    other->bus_first <= host->bus_last &&
		    host->bus_first <= other->bus_last)
			return other;
	}

	return NULL;
}

/* As firmware would leave them: the PCI core keeps what makes sense. */
static int number_host(struct fabric *fabric, struct fabric_host *host)
{
	struct fabric_function *function, *port;
	int last = host->bus_given ? host->bus_first : first_bus(fabric, host);

	host->bus_first = last;
	for (function = fabric_next_function(host, NULL); function;
	     function = fabric_next_function(host, function)) {
		port = function->parent;
		function->bus = port ? port->secondary : host->bus_first;
		if (!fabric_is_port(function))
			continue;
		function->secondary = ++last;
		for (port = function; port; port = port->parent)
			port->subordinate = last;
		if (last > 0xff)
			break;
	}

	if (last > 0xff)
		return fabric_fail(fabric, host->line, -EINVAL,
				   "more than 256 buses in domain %04x: start another domain",
				   host->domain);
	host->bus_last = last;
	if (find_overlap(fabric, host))
		return fabric_fail(fabric, host->line, -EINVAL,
				   "buses %02x-%02x overlap those of the bridge in line %u",
				   host->bus_first, host->bus_last,
				   find_overlap(fabric, host)->line);
	return 0;
}

/* Nobody looks for functions of a device that has no function 0. */
static int check_functions(struct fabric *fabric, struct fabric_host *host)
{
	struct fabric_function *function;

	for (function = fabric_next_function(host, NULL); function;
	     function = fabric_next_function(host, function))
		if (is_free(function, function->devfn & ~7) &&
		    PCI_FUNC(function->devfn))
			return fabric_fail(fabric, function->line, -EINVAL,
					   "device %02x on this bus has no function 0",
					   PCI_SLOT(function->devfn));

	return 0;
}

/**
 * fabric_complete() - check the tree as a whole, and number its buses
 * @fabric: the file
 *
 * Return: 0 or -EINVAL, with a message.
 */
int fabric_complete(struct fabric *fabric)
{
	struct fabric_host *host;
	int ret = 0;

	if (list_empty(&fabric->hosts))
		return fabric_fail(fabric, fabric->line_nr, -EINVAL,
				   "there is no bridge");

	list_for_each_entry(host, &fabric->hosts, node) {
		ret = check_functions(fabric, host);
		if (!ret)
			ret = number_host(fabric, host);
		if (ret)
			break;
	}

	return ret;
}

/**
 * fabric_free_host() - free a host bridge and all functions below it
 * @host: unknown to the PCI core
 */
void fabric_free_host(struct fabric_host *host)
{
	struct fabric_function *function;

	while ((function = fabric_next_function(host, NULL))) {
		while (!list_empty(&function->children))
			function = fabric_next_function(host, function);
		list_del(&function->node);
		kfree(function);
	}
	kfree(host);
}
