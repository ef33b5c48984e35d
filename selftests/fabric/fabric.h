/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests on fabrics share. As in ../lib: calls return a negative errno on
 * failure, must() ends the test.
 */
#ifndef _FABRIC_H
#define _FABRIC_H

#include <stdbool.h>
#include <stdint.h>

#include "peerbuf_fabric.h"
#include "peerbuf_lib.h"

/* fabric.c: /dev/peerbuf-fabric */

/**
 * struct fabric_function - a line of the report
 * @device: address
 * @name: of the description, "-" for none
 */
struct fabric_function {
	struct pb_device device;
	char name[32];
};

/**
 * struct fabric - a fabric that exists
 * @fd: the open file; the devices go when it is closed
 * @functions: what is there
 * @nr: of them
 */
struct fabric {
	int fd;
	struct fabric_function *functions;
	unsigned int nr;
};

int fabric_open(void);
int fabric_write(int fd, const char *text);
int fabric_read(int fd, char *text, size_t size);
int fabric_build(struct fabric *fabric, const char *text, char *message,
		 size_t size);
void fabric_close(struct fabric *fabric);
const struct fabric_function *fabric_find(const struct fabric *fabric,
					  const char *name);
unsigned int fabric_distances(const struct fabric *fabric,
			      const struct peerbuf_function *provider,
			      struct peerbuf_fabric_distance *entries,
			      unsigned int room);
__u64 fabric_reads(const struct fabric *fabric);
void fabric_set_presence(const struct fabric *fabric, const char *name,
			 bool present);
void fabric_quiet(void);

/* sysfs.c: what the kernel made of it */

#define FABRIC_ACS	0x100	/* where a function with ACS has it */

unsigned int fabric_nr_in_domain(unsigned int domain);
unsigned int fabric_attribute(const struct pb_device *device, const char *name);
__u32 fabric_config_read(const struct pb_device *device, unsigned int where,
			 unsigned int size);
void fabric_config_write(const struct pb_device *device, unsigned int where,
			 unsigned int size, __u32 value);

/* compare.c: peerbuf's verdict against the kernel's answer */

/**
 * struct fabric_count - of a comparison of all pairs
 * @pairs: that were asked
 * @routes: of them, by &enum peerbuf_route
 * @masked: none for the importer's DMA mask alone
 * @disagreements: where the two differ
 */
struct fabric_count {
	unsigned long pairs;
	unsigned long routes[3];
	unsigned long masked;
	unsigned long disagreements;
};

bool fabric_cpu_trusted(void);
bool fabric_agrees(const struct peerbuf_verdict *verdict, int distance);
void fabric_compare(const struct fabric *fabric, struct fabric_count *count);
void fabric_add_count(struct fabric_count *sum, const struct fabric_count *count);

/* lend.c: memory of a fabric, bound to peerbuf_pci */

/**
 * struct fabric_lender - a function that lends the ends of its first window
 * @device: the function; an importer of the others, too
 * @window: the window
 * @ranges: first and last page, in the window
 * @dmabuf: a buffer of the two
 */
struct fabric_lender {
	struct pb_device device;
	struct peerbuf_window_info window;
	struct peerbuf_range ranges[2];
	int dmabuf;
};

/**
 * struct fabric_lenders - all functions of a fabric that can lend
 * @lenders: them
 * @nr: how many
 */
struct fabric_lenders {
	struct fabric_lender *lenders;
	unsigned int nr;
};

bool fabric_is_bridge(const struct pb_device *device);
int fabric_first_bar(const struct pb_device *device, __u64 *start);
bool fabric_can_lend(const struct pb_device *device);
void fabric_lend(const struct fabric *fabric, struct fabric_lenders *lenders);
void fabric_unlend(struct fabric_lenders *lenders);

/* addresses.c: what importers are given, against the kernel's own addresses */

/**
 * struct fabric_addresses - of a comparison of all pairs of lenders
 * @pairs: that attached, or tried to
 * @mapped: of them, by &enum peerbuf_route
 * @masked: refused for the importer's DMA mask alone
 * @different: where ours and the kernel's, or what routing promised, differ
 */
struct fabric_addresses {
	unsigned long pairs;
	unsigned long mapped[3];
	unsigned long masked;
	unsigned long different;
};

void fabric_compare_addresses(int test, const struct fabric_lenders *lenders,
			      struct fabric_addresses *count);

#endif /* _FABRIC_H */
