// SPDX-License-Identifier: MIT
/*
 * This machine, for every user: functions from what sysfs shows to everybody, the
 * ways to the root and their ports from the kernel module.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machine.h"

#define PCI_DEVICES "/sys/bus/pci/devices"
#define NR_BARS 6
#define IORESOURCE_MEM 0x200
#define HEADER_SIZE 64

/* "resource" has a line for each BAR: first and last address, and flags. */
static void read_bars(struct pci_function *function)
{
	unsigned long long first, last, flags;
	char path[128], line[128];
	FILE *file;
	int i;

	snprintf(path, sizeof(path), PCI_DEVICES "/%s/resource",
		 name_of(&function->address).text);
	file = fopen(path, "re");
	if (!file)
		return;
	function->memory = 0;
	for (i = 0; i < NR_BARS && fgets(line, sizeof(line), file); i++) {
		if (sscanf(line, "%llx %llx %llx", &first, &last, &flags) != 3 ||
		    !(flags & IORESOURCE_MEM) || last <= first)
			continue;
		if (last - first + 1 > function->memory)
			function->memory = last - first + 1;
		if (last > function->phys_last)
			function->phys_last = last;
	}
	fclose(file);
}

static void read_attributes(struct pci_function *function)
{
	unsigned int vendor, device;
	char text[16];

	if (!device_id(&function->address, &vendor, &device)) {
		function->vendor = (__u16)vendor;
		function->device = (__u16)device;
	}
	if (!device_attr(&function->address, "class", text, sizeof(text)))
		function->class = (__u32)strtoul(text, NULL, 16);
	read_bars(function);
}

/* Of config space, everybody may see the header. */
static void read_header(struct pci_function *function)
{
	__u8 header[HEADER_SIZE];
	char path[128];
	size_t length;
	FILE *file;

	snprintf(path, sizeof(path), PCI_DEVICES "/%s/config",
		 name_of(&function->address).text);
	file = fopen(path, "re");
	if (!file)
		return;
	length = fread(header, 1, sizeof(header), file);
	fclose(file);
	if (length == sizeof(header))
		config_read(function, header, length);
}

static int read_functions(struct machine *machine, DIR *dir)
{
	struct peerbuf_function address;
	struct pci_function *function;
	struct dirent *entry;

	while ((entry = readdir(dir))) {
		if (peerbuf_parse_function(entry->d_name, &address))
			continue;
		function = machine_add(machine);
		if (!function)
			return -ENOMEM;
		function->address = address;
		read_header(function);
		read_attributes(function);
	}
	return 0;
}

/* What the kernel says of a function and of the bridge above it. */
static int ask_path(struct machine *machine, int i)
{
	struct peerbuf_path_query query = { .size = sizeof(query) };
	struct peerbuf_port_info ports[PEERBUF_MAX_PORTS];
	struct pci_function *function = &machine->functions[i];

	if (peerbuf_path(machine->control, &function->address, &query, ports,
			 ARRAY_SIZE(ports)) || !query.nr_ports)
		return NOWHERE;
	function->type = ports[0].type;
	function->acs_known = true;
	function->acs = ports[0].flags & PEERBUF_PORT_ACS;
	function->acs_cap = ports[0].acs_cap;
	function->acs_ctrl = ports[0].acs_ctrl;
	return query.nr_ports > 1 ? machine_find(machine, &ports[1].function) : NOWHERE;
}

static int mark_providers(struct machine *machine)
{
	struct peerbuf_function *list;
	int i, found, count = peerbuf_list_providers(&list);

	for (i = 0; i < count; i++) {
		found = machine_find(machine, &list[i]);
		if (found != NOWHERE)
			machine->functions[found].provider = true;
	}
	free(list);
	return count < 0 ? count : 0;
}

/* Does the module know the call? Asked of a function that cannot exist. */
static int check_abi(int control)
{
	struct peerbuf_path_query query = { .size = sizeof(query) };
	struct peerbuf_function nobody = { .domain = 0xffffffff, .bus = 0xff, .devfn = 0xff };
	struct peerbuf_port_info port;
	int err = peerbuf_path(control, &nobody, &query, &port, 1);

	return err == -ENXIO ? 0 : err;
}

/**
 * machine_read_live() - read this machine
 * @machine: zeroed; the control node stays open in it
 *
 * Return: 0, or an exit status; what went wrong has been said.
 */
int machine_read_live(struct machine *machine)
{
	DIR *dir;
	int err;

	machine->control = open_control();
	if (machine->control < 0)
		return advise("without it: \"peerbuf dump > FILE\" as root, then --from-dump FILE");
	err = check_abi(machine->control);
	if (err)
		return report_call(err, "cannot ask for the ports on the way");
	dir = opendir(PCI_DEVICES);
	if (!dir)
		return report("cannot read " PCI_DEVICES ": %m; is sysfs mounted on /sys?");
	err = read_functions(machine, dir);
	closedir(dir);
	if (!err)
		err = machine_finish(machine, ask_path);
	if (!err)
		err = mark_providers(machine);
	return err ? report_call(err, "cannot read this machine's functions") : 0;
}
