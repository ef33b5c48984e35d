// SPDX-License-Identifier: MIT
/*
 * Another machine, from the text of "lspci -D -xxxx" or "peerbuf dump": a line
 * with the address of each function, then its config space in hexadecimal. All
 * other lines are passed over, so that -v does no harm.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machine.h"

/* More than the largest machines have, few enough to make a tree of. */
#define MAX_FUNCTIONS 16384
#define BYTES_A_LINE 16
#define CONVENTIONAL_SIZE 256

/**
 * struct reader - a dump while it is read
 * @machine: what has come of it
 * @function: the function whose bytes come now; its label is in it
 * @open: there is one
 * @bytes: its config space
 * @known: bytes of it, without a gap from the start
 */
struct reader {
	struct machine *machine;
	struct pci_function function;
	bool open;
	__u8 bytes[CONFIG_SIZE];
	size_t known;
};

/* Labels end up on terminals and in pictures: plain characters only. */
static void set_label(struct pci_function *function, const char *text)
{
	size_t i;

	while (*text == ' ')
		text++;
	for (i = 0; i + 1 < sizeof(function->label) && text[i] && text[i] != '\r' &&
	     text[i] != '\n'; i++)
		function->label[i] = isprint((unsigned char)text[i]) ? text[i] : '?';
	function->label[i] = '\0';
}

/* "Maker Model (rev 1)" of "Class [0108]: Maker Model (rev 1)" */
static const char *after_class(const char *text)
{
	const char *colon = strstr(text, ": ");

	return colon ? colon + 2 : text;
}

static int finish_function(struct reader *reader)
{
	struct pci_function *added;
	char ids[16];

	if (!reader->open || reader->known < 64)
		return 0;
	if (reader->machine->nr == MAX_FUNCTIONS)
		return -E2BIG;
	added = machine_add(reader->machine);
	if (!added)
		return -ENOMEM;
	*added = reader->function;
	config_read(added, reader->bytes, reader->known);
	snprintf(ids, sizeof(ids), "%04x:%04x", added->vendor, added->device);
	if (!strncmp(added->label, ids, strlen(ids)))
		*added->label = '\0';
	return 0;
}

/* Returns 1 if the line begins a function, 0 if not, or an error. */
static int take_address(struct reader *reader, const char *line)
{
	size_t length = strcspn(line, " \r\n");
	struct peerbuf_function address;
	char text[PEERBUF_FUNCTION_LEN];
	int err;

	if (length >= sizeof(text))
		return 0;
	memcpy(text, line, length);
	text[length] = '\0';
	if (peerbuf_parse_function(text, &address))
		return 0;

	err = finish_function(reader);
	reader->function = (struct pci_function) { .address = address };
	set_label(&reader->function, after_class(line + length));
	reader->known = 0;
	reader->open = true;
	return err ? err : 1;
}

/* "10: 04 00 ...": bytes count as far as they follow those that are known. */
static void take_bytes(struct reader *reader, const char *line)
{
	unsigned long offset, byte;
	char *end;
	int i;

	if (!isxdigit((unsigned char)*line))
		return;
	offset = strtoul(line, &end, 16);
	if (*end != ':' || offset != reader->known)
		return;
	line = end + 1;
	for (i = 0; i < BYTES_A_LINE && reader->known < CONFIG_SIZE; i++) {
		if (*line != ' ' || !isxdigit((unsigned char)line[1]) ||
		    !isxdigit((unsigned char)line[2]))
			return;
		byte = strtoul(line, &end, 16);
		if (end != line + 3)
			return;
		reader->bytes[reader->known++] = (__u8)byte;
		line = end;
	}
}

/* What "peerbuf dump" knows beyond lspci. */
static void take_comment(struct machine *machine, const char *line)
{
	if (!strncmp(line, "# cpu: ", 7)) {
		machine->cpu_known = true;
		machine->cpu_forwards = !strncmp(line + 7, "amd-zen", 7);
	}
}

static int read_lines(struct reader *reader, FILE *file)
{
	char *line = NULL;
	size_t room = 0;
	int err = 0;

	while (err >= 0 && getline(&line, &room, file) >= 0) {
		if (*line == '#')
			take_comment(reader->machine, line);
		else
			err = take_address(reader, line);
		if (!err && reader->open)
			take_bytes(reader, line);
	}
	free(line);
	if (err >= 0)
		err = finish_function(reader);
	if (!err && ferror(file))
		err = -EIO;
	return err;
}

/*
 * Where the dump has extended config space of others, a PCIe function without it
 * has none, as behind a conventional bridge: the kernel finds no ACS there either.
 */
static void settle_extended(struct machine *machine)
{
	bool extended = false;
	int i;

	for (i = 0; i < machine->nr; i++)
		extended |= machine->functions[i].known > CONVENTIONAL_SIZE;
	for (i = 0; extended && i < machine->nr; i++) {
		if (machine->functions[i].known == CONVENTIONAL_SIZE)
			machine->functions[i].acs_known = true;
	}
}

static void warn(const struct machine *machine, const char *path)
{
	int i, headers = 0, unknown = 0;

	for (i = 0; i < machine->nr; i++) {
		if (machine->functions[i].known < CONVENTIONAL_SIZE)
			headers++;
		else if (!machine->functions[i].acs_known &&
			 (machine->functions[i].bridge || machine->functions[i].multi))
			unknown++;
	}
	if (headers) {
		report("%s: of %d functions there is only the header (lspci -x)", path, headers);
		advise("port types and ACS are not known; as root: lspci -D -xxxx > dump");
	}
	if (unknown) {
		report("%s: %d PCIe ports lack extended config space (lspci -xxx)", path,
		       unknown);
		advise("whether ACS redirects is not known; as root: lspci -D -xxxx > dump");
	}
}

static int read_file(struct machine *machine, FILE *file, const char *path)
{
	struct reader *reader = calloc(1, sizeof(*reader));
	int err = -ENOMEM;

	if (reader) {
		reader->machine = machine;
		err = read_lines(reader, file);
	}
	if (!err && !machine->nr) {
		report("%s has no PCI function with config space in it", path);
		err = advise("make it as root: lspci -D -xxxx > dump (or peerbuf dump > dump)");
	} else if (err == -E2BIG) {
		err = report("%s has more than %d functions", path, MAX_FUNCTIONS);
	} else if (err) {
		err = report("cannot read %s: %s", path, strerror(-err));
	} else if (machine_finish(machine, machine_bridge_above)) {
		err = report("out of memory");
	} else {
		settle_extended(machine);
		warn(machine, path);
	}
	free(reader);
	return err;
}

/**
 * machine_read_dump() - read another machine's dump
 * @machine: zeroed
 * @path: of the dump; "-" for standard input
 *
 * Return: 0, or an exit status; what went wrong has been said.
 */
int machine_read_dump(struct machine *machine, const char *path)
{
	FILE *file = stdin;
	int err;

	machine->control = -1;
	if (strcmp(path, "-"))
		file = fopen(path, "re");
	if (!file)
		return report("cannot open %s: %m", path);
	err = read_file(machine, file, path);
	if (file != stdin)
		fclose(file);
	return err;
}
