// SPDX-License-Identifier: GPL-2.0-only
/* /dev/peerbuf-fabric: a description in, a list of functions out. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <unistd.h>

#include "fabric.h"

/** fabric_open() - Return: a descriptor or a negative errno. */
int fabric_open(void)
{
	int fd = open("/dev/peerbuf-fabric", O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/** fabric_write() - write all of @text. Return: 0 or a negative errno. */
int fabric_write(int fd, const char *text)
{
	size_t left = strlen(text);
	ssize_t done;

	for (; left; left -= done, text += done) {
		done = write(fd, text, left);
		if (done < 0)
			return -errno;
	}
	return 0;
}

/** fabric_read() - all of the report. Return: bytes or a negative errno. */
int fabric_read(int fd, char *text, size_t size)
{
	size_t used = 0;
	ssize_t done;

	while ((done = pread(fd, text + used, size - 1 - used, used)) > 0)
		used += done;
	text[used] = '\0';
	return done < 0 ? -errno : (int)used;
}

static void parse_line(const char *line, struct fabric_function *function)
{
	unsigned int domain, bus, slot, fn;

	memset(function, 0, sizeof(*function));
	if (sscanf(line, "%31s %x:%x:%x.%x", function->name, &domain, &bus,
		   &slot, &fn) != 5)
		fail("not a line of a report: '%s'", line);
	function->device.function.domain = domain;
	function->device.function.bus = bus;
	function->device.function.devfn = slot << 3 | fn;
	snprintf(function->device.name, sizeof(function->device.name),
		 "%04x:%02x:%02x.%x", domain, bus, slot, fn);
}

static void parse_report(struct fabric *fabric, char *text)
{
	char *line, *rest = text;
	unsigned int room = 0;

	for (line = text; *line; line++)
		room += *line == '\n';
	fabric->functions = calloc(room + 1, sizeof(*fabric->functions));
	if (!fabric->functions)
		fail("out of memory");
	while ((line = strsep(&rest, "\n")) && *line)
		parse_line(line, &fabric->functions[fabric->nr++]);
}

/**
 * fabric_build() - make a fabric
 * @fabric: filled in
 * @text: the description
 * @message: room for what is wrong, or NULL
 * @size: of @message
 *
 * Return: 0 or a negative errno; after that there is nothing to close.
 */
int fabric_build(struct fabric *fabric, const char *text, char *message,
		 size_t size)
{
	static char report[512 * 1024];
	int ret;

	memset(fabric, 0, sizeof(*fabric));
	fabric->fd = must(fabric_open());
	ret = fabric_write(fabric->fd, text);
	must(fabric_read(fabric->fd, report, sizeof(report)));
	if (!ret) {
		parse_report(fabric, report);
		return 0;
	}
	if (message)
		snprintf(message, size, "%s", report);
	close(fabric->fd);
	return ret;
}

/** fabric_close() - remove the devices of @fabric. */
void fabric_close(struct fabric *fabric)
{
	close(fabric->fd);
	free(fabric->functions);
	memset(fabric, 0, sizeof(*fabric));
}

/** fabric_find() - by name, which must exist. Return: the function. */
const struct fabric_function *fabric_find(const struct fabric *fabric,
					  const char *name)
{
	unsigned int i;

	for (i = 0; i < fabric->nr; i++) {
		if (!strcmp(fabric->functions[i].name, name))
			return &fabric->functions[i];
	}
	fail("no function '%s' in the report", name);
}

/**
 * fabric_distances() - pci_p2pdma_distance_many(), all importers of the system
 * @fabric: any
 * @provider: whose memory
 * @entries: room for @room of them
 * @room: entries
 *
 * Return: how many functions there are; must succeed.
 */
unsigned int fabric_distances(const struct fabric *fabric,
			      const struct peerbuf_function *provider,
			      struct peerbuf_fabric_distance *entries,
			      unsigned int room)
{
	struct peerbuf_fabric_distances arg = {
		.provider = *provider,
		.entries = (uintptr_t)entries,
		.nr = room,
	};

	must(pb_ioctl(fabric->fd, PEERBUF_FABRIC_IOC_DISTANCES, &arg));
	return arg.nr;
}

/** fabric_reads() - Return: how often config space of @fabric was read. */
__u64 fabric_reads(const struct fabric *fabric)
{
	__u64 reads;

	must(pb_ioctl(fabric->fd, PEERBUF_FABRIC_IOC_READS, &reads));
	return reads;
}

/**
 * fabric_set_presence() - pull a function out, or plug it in
 * @fabric: which
 * @name: of the function, with all below it
 * @present: it is there from now on; the kernel has to be told
 */
void fabric_set_presence(const struct fabric *fabric, const char *name,
			 bool present)
{
	struct peerbuf_fabric_presence arg = { .present = present };

	snprintf(arg.name, sizeof(arg.name), "%s", name);
	must(pb_ioctl(fabric->fd, PEERBUF_FABRIC_IOC_PRESENCE, &arg));
}

/** fabric_quiet() - errors only: a serial console is slow, new functions many. */
void fabric_quiet(void)
{
	klogctl(8, NULL, 4);
}
