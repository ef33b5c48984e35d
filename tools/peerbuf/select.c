// SPDX-License-Identifier: MIT
/* Which machine is asked about, and which of its functions. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machine.h"

#define VENDOR_AMD 0x1022

/* An assumption that decides much is said. */
static void warn_cpu(const struct machine *machine)
{
	int i, f;

	for (i = 0; i < machine->nr_hosts && !machine->cpu_known; i++) {
		f = machine->hosts[i].function;
		if (f == NOWHERE || machine->functions[f].vendor != VENDOR_AMD)
			continue;
		report("the host bridges are AMD's, and the dump does not say which CPU there is");
		advise("a Zen (EPYC, Ryzen) forwards: --cpu amd-zen; any other: --cpu other");
		return;
	}
}

/**
 * read_machine() - read this machine, or the dump of another one
 * @machine: filled in; machine_free() it, also after a failure
 * @source: what the command line says
 *
 * Return: 0, or an exit status; what went wrong has been said.
 */
int read_machine(struct machine *machine, const struct source_options *source)
{
	int status;

	*machine = (struct machine) { .control = -1 };
	if (source->cpu && !source->dump)
		return report("--cpu goes with --from-dump: this machine's CPU is known");
	if (source->cpu && strcmp(source->cpu, "amd-zen") && strcmp(source->cpu, "other"))
		return report("--cpu: \"%s\" is neither amd-zen nor other", source->cpu);
	if (!source->dump)
		return machine_read_live(machine);

	status = machine_read_dump(machine, source->dump);
	if (status)
		return status;
	if (source->cpu) {
		machine->cpu_known = true;
		machine->cpu_forwards = !strcmp(source->cpu, "amd-zen");
	}
	warn_cpu(machine);
	return 0;
}

static bool has(const struct selection *selection, int function)
{
	int i;

	for (i = 0; i < selection->nr; i++) {
		if (selection->functions[i] == function)
			return true;
	}
	return false;
}

static int make_room(const struct machine *machine, struct selection *selection)
{
	selection->nr = 0;
	selection->functions = calloc((size_t)machine->nr + 1, sizeof(int));
	return selection->functions ? 0 : report("out of memory");
}

/* All functions that are wanted, in the order of their addresses. */
int select_by(const struct machine *machine, bool (*wanted)(const struct pci_function *f),
	      struct selection *selection)
{
	int i, status = make_room(machine, selection);

	for (i = 0; !status && i < machine->nr; i++) {
		if (wanted(&machine->functions[i]))
			selection->functions[selection->nr++] = i;
	}
	return status;
}

/* "1af4:1110", or "1af4:" for all of a vendor. Returns 0, or -EINVAL. */
static int parse_ids(const char *text, unsigned long *vendor, long *device)
{
	char *end;

	if (!isxdigit((unsigned char)*text))
		return -EINVAL;
	*vendor = strtoul(text, &end, 16);
	if (*end != ':' || *vendor > 0xffff)
		return -EINVAL;
	text = end + 1;
	*device = -1;
	if (!*text)
		return 0;
	if (!isxdigit((unsigned char)*text))
		return -EINVAL;
	*device = strtol(text, &end, 16);
	return *end || *device > 0xffff ? -EINVAL : 0;
}

static int add_ids(const struct machine *machine, const char *text,
		   struct selection *selection)
{
	int i, before = selection->nr;
	unsigned long vendor;
	long device;

	if (parse_ids(text, &vendor, &device))
		return report("\"%s\" is neither a function (02:00.0) nor an id (1af4:1110, 1af4:)",
			      text);
	for (i = 0; i < machine->nr; i++) {
		const struct pci_function *f = &machine->functions[i];

		if (f->vendor == vendor && (device < 0 || f->device == device) &&
		    is_endpoint(f) && !has(selection, i))
			selection->functions[selection->nr++] = i;
	}
	if (selection->nr == before)
		return report("there is no endpoint %s", text);
	return 0;
}

static int add_item(const struct machine *machine, const char *text,
		    struct selection *selection)
{
	struct peerbuf_function address;
	int found;

	if (peerbuf_parse_function(text, &address))
		return add_ids(machine, text, selection);
	found = machine_find(machine, &address);
	if (found == NOWHERE)
		return report("there is no PCI function %s", name_of(&address).text);
	if (!has(selection, found))
		selection->functions[selection->nr++] = found;
	return 0;
}

/* "02:00.0,1af4:1110": in the order of the list. */
int select_listed(const struct machine *machine, const char *list,
		  struct selection *selection)
{
	int status = make_room(machine, selection);
	char *copy = strdup(list), *item, *rest = NULL;

	if (!copy)
		status = report("out of memory");
	for (item = copy; !status && (item = strtok_r(item, ",", &rest)); item = NULL)
		status = add_item(machine, item, selection);
	free(copy);
	if (!status && !selection->nr)
		status = report("\"%s\" names no function", list);
	return status;
}
