// SPDX-License-Identifier: MIT
/* peerbuf dump: this machine for --from-dump, where there is no lspci. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "machine.h"

#define PCI_DEVICES "/sys/bus/pci/devices"

/* From Zen on, family 0x17, all AMD cores forward between host bridges. */
static void print_cpu(void)
{
	bool amd = false;
	char line[256];
	int family = 0, number;
	FILE *file;

	file = fopen("/proc/cpuinfo", "re");
	if (!file)
		return;
	while (fgets(line, sizeof(line), file) && *line != '\n') {
		if (!strncmp(line, "vendor_id", 9))
			amd = strstr(line, ": AuthenticAMD");
		if (sscanf(line, "cpu family : %d", &number) == 1)
			family = number;
	}
	fclose(file);
	printf("# cpu: %s\n\n", amd && family >= 0x17 ? "amd-zen" : "other");
}

static void print_bytes(const __u8 *bytes, size_t length)
{
	size_t i;

	for (i = 0; i < length; i++) {
		if (!(i % 16))
			printf("%02zx:", i);
		printf(" %02x%s", bytes[i], i % 16 == 15 ? "\n" : "");
	}
	printf("\n");
}

/* Returns the bytes that were readable, or a negative errno. */
static ssize_t read_config(const char *name, __u8 *bytes)
{
	ssize_t length = 0, part;
	char path[300];
	int fd;

	snprintf(path, sizeof(path), PCI_DEVICES "/%s/config", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	do {
		part = read(fd, bytes + length, (size_t)(CONFIG_SIZE - length));
		length += part > 0 ? part : 0;
	} while (part > 0 && length < CONFIG_SIZE);
	close(fd);
	return length & ~15;
}

/* Says whether only the header was to be had. */
static bool dump_one(const char *name)
{
	__u8 bytes[CONFIG_SIZE];
	struct peerbuf_function function;
	unsigned int vendor, device;
	char class[16] = "";
	ssize_t length;

	length = read_config(name, bytes);
	if (length < 64 || peerbuf_parse_function(name, &function) ||
	    device_id(&function, &vendor, &device))
		return false;
	device_attr(&function, "class", class, sizeof(class));
	printf("%s %.4s: %04x:%04x\n", name, strlen(class) == 8 ? class + 2 : "0000", vendor,
	       device);
	print_bytes(bytes, (size_t)length);
	return length == 64;
}

static int only_functions(const struct dirent *entry)
{
	struct peerbuf_function function;

	return !peerbuf_parse_function(entry->d_name, &function);
}

static int run(int argc, char **argv)
{
	struct dirent **list;
	int i, count, headers = 0;

	if (argc > 1)
		return report_usage(&verb_dump, "dump takes no argument \"%s\"", argv[1]);
	count = scandir(PCI_DEVICES, &list, only_functions, alphasort);
	if (count < 0)
		return report("cannot read " PCI_DEVICES ": %m; is sysfs mounted on /sys?");

	printf("# peerbuf %s dump\n", PEERBUF_CLI_VERSION);
	print_cpu();
	for (i = 0; i < count; i++) {
		headers += dump_one(list[i]->d_name);
		free(list[i]);
	}
	free(list);
	if (!headers)
		return EXIT_OK;
	report("%d functions showed only the header of their config space", headers);
	return advise("root sees all of it");
}

const struct verb verb_dump = {
	.name = "dump",
	.args = "",
	.summary = "write this machine's config space, for --from-dump elsewhere",
	.help =
	"Writes the config space of all PCI functions as text, as \"lspci -D -n -xxxx\"\n"
	"does, and which kind of CPU there is. Read it with \"peerbuf routes --from-dump\",\n"
	"\"peerbuf why --from-dump\", or \"lspci -F\". It has serial numbers of devices in it.\n"
	"Needs root, and no kernel module.\n",
	.error = EXIT_ERROR,
	.run = run,
};
