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
int fabric_distance(int fd, const struct peerbuf_function *provider,
		    const struct peerbuf_function *importer);
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

#endif /* _FABRIC_H */
