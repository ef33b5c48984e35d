/* SPDX-License-Identifier: MIT */
/*
 * A machine: its PCI functions and how they hang together, whether it is this one
 * (live.c) or another one's dump (dump_read.c), and what routing says of any two.
 */
#ifndef PEERBUF_MACHINE_H
#define PEERBUF_MACHINE_H

#include <stdio.h>

#include "cli.h"

#define MAX_LABEL 64

/* &pci_function.type where config space was not readable that far */
#define TYPE_UNKNOWN	0xfe
#define TYPE_ROOT_PORT	0x4
#define TYPE_UPSTREAM	0x5
#define TYPE_DOWNSTREAM	0x6

#define ACS_RR		0x04
#define ACS_CR		0x08
#define ACS_EC		0x20
#define ACS_REDIRECT	(ACS_RR | ACS_CR | ACS_EC)

#define NOWHERE		(-1)

/**
 * struct pci_function - one PCI function
 * @address: domain, bus, device and function
 * @vendor: PCI vendor id
 * @device: PCI device id
 * @class: class code, 24 bits
 * @type: &peerbuf_port_info.type, or TYPE_UNKNOWN
 * @bridge: it has a bus below it
 * @multi: the device has more functions
 * @acs_known: it is known whether there is an ACS capability
 * @acs: there is one
 * @acs_cap: ACS Capability register
 * @acs_ctrl: ACS Control register
 * @master: bus mastering is on
 * @provider: it lends memory to peerbuf
 * @secondary: number of the bus below, for bridges of a dump
 * @subordinate: highest bus number below, for bridges of a dump
 * @memory: bytes of the largest memory BAR; 1 where only that there is one is known
 * @phys_last: highest CPU physical address of its memory BARs, 0 if not known
 * @known: bytes of config space that are known
 * @parent: index of the bridge above, NOWHERE on a root bus
 * @host: index of the host bridge
 * @label: what a dump calls it; printable, may be empty
 */
struct pci_function {
	struct peerbuf_function address;
	__u16 vendor;
	__u16 device;
	__u32 class;
	__u8 type;
	bool bridge;
	bool multi;
	bool acs_known;
	bool acs;
	__u16 acs_cap;
	__u16 acs_ctrl;
	bool master;
	bool provider;
	__u8 secondary;
	__u8 subordinate;
	__u64 memory;
	__u64 phys_last;
	__u16 known;
	int parent;
	int host;
	char label[MAX_LABEL];
};

/**
 * struct host_bridge - a root bus
 * @domain: PCI domain
 * @bus: number of the root bus
 * @function: index of the function that stands for it, or NOWHERE
 */
struct host_bridge {
	__u32 domain;
	__u8 bus;
	int function;
};

/**
 * struct machine - all of it
 * @functions: in the order of their addresses
 * @nr: how many
 * @hosts: in the order of their domains and buses
 * @nr_hosts: how many
 * @control: the control node; -1 for a dump
 * @cpu_forwards: the CPU is known to forward between all of its host bridges
 * @cpu_known: that was said, and not just assumed
 */
struct machine {
	struct pci_function *functions;
	int nr;
	struct host_bridge *hosts;
	int nr_hosts;
	int control;
	bool cpu_forwards;
	bool cpu_known;
};

/**
 * struct answer - what routing says of a provider and an importer
 * @verdict: the verdict; where ACS is not known, that of ports that do not redirect
 * @certain: the verdict does not depend on what is not known
 * @otherwise: else, the verdict of ports that do redirect
 */
struct answer {
	struct peerbuf_verdict verdict;
	bool certain;
	struct peerbuf_verdict otherwise;
};

/* What-if: facts that differ from those of the machine. engine.c */
struct assumption {
	__u16 unknown_acs;	/* ACS control of ports whose is not known */
	bool no_redirect;	/* no port redirects */
	bool trusted;		/* host bridges are trusted */
	bool iommu;		/* the importer has an IOMMU */
	__u64 dma_mask;		/* 0: 64 bits */
	__s64 bus_offset;
};

/**
 * struct selection - who is asked about
 * @functions: indices of a machine's functions
 * @nr: how many
 */
struct selection {
	int *functions;
	int nr;
};

/* machine.c */
struct pci_function *machine_add(struct machine *machine);
int machine_finish(struct machine *machine,
		   int (*parent_of)(struct machine *machine, int function));
int machine_bridge_above(struct machine *machine, int function);
void machine_free(struct machine *machine);
int machine_find(const struct machine *machine, const struct peerbuf_function *function);
int machine_common(const struct machine *machine, int a, int b);
bool machine_below(const struct machine *machine, int function, int bridge);
int machine_host(struct machine *machine, __u32 domain, __u8 bus);
int machine_ask(const struct machine *machine, int provider, int importer,
		struct answer *answer);
int machine_ask_all(const struct machine *machine, int provider,
		    const struct selection *importers, struct answer *answers);
bool is_endpoint(const struct pci_function *function);
bool can_lend(const struct pci_function *function);
bool can_import(const struct pci_function *function);
const char *class_word(const struct pci_function *function);

/* config.c: what config space says */
#define CONFIG_SIZE 4096

void config_read(struct pci_function *function, const __u8 *config, size_t known);

/* live.c: this machine; dump_read.c: another one's */
int machine_read_live(struct machine *machine);
int machine_read_dump(struct machine *machine, const char *path);

/* engine.c: the kernel's own drivers/peerbuf/route.c */
void engine_route(const struct machine *machine, int provider, int importer,
		  const struct assumption *assumption, struct peerbuf_verdict *verdict);
bool engine_lists(const struct pci_function *function, bool same_bridge);
bool engine_trusts(const struct machine *machine, int a, int b, int *blocker);

/* select.c: who is asked about */
struct source_options {
	const char *dump;
	const char *cpu;
};

int read_machine(struct machine *machine, const struct source_options *source);
int select_by(const struct machine *machine, bool (*wanted)(const struct pci_function *f),
	      struct selection *selection);
int select_listed(const struct machine *machine, const char *list,
		  struct selection *selection);

/* verdict.c: verdicts in words */
const char *address_kind(const struct peerbuf_verdict *verdict);
void print_address(FILE *file, const struct peerbuf_verdict *verdict, bool offset_known);
void print_hint(FILE *file, const struct peerbuf_verdict *verdict);
void print_json_verdict(const struct peerbuf_verdict *verdict);

#endif /* PEERBUF_MACHINE_H */
