/* SPDX-License-Identifier: GPL-2.0-only */
/* Internals of peerbuf_fabric. */
#ifndef _PEERBUF_FABRIC_H
#define _PEERBUF_FABRIC_H

#include <linux/ioport.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#define FABRIC_MAX_FUNCTIONS	8192
/* The PCI core descends recursively, on a kernel stack */
#define FABRIC_MAX_DEPTH	32
#define FABRIC_MAX_WINDOWS	4
#define FABRIC_MAX_LINE		256
#define FABRIC_NAME_SIZE	32
#define FABRIC_MESSAGE_SIZE	160

/* Standard header, capabilities, and ACS as the first extended capability */
#define FABRIC_CONFIG_SIZE	0x110
#define FABRIC_PCIE_CAP		0x40
#define FABRIC_ACS_CAP		0x100
#define FABRIC_NR_REGISTERS	(FABRIC_CONFIG_SIZE / 4)

/**
 * enum fabric_kind - what a function is
 * @FABRIC_HOST_FUNCTION: the function that stands for a host bridge, 00.0
 * @FABRIC_ROOT_PORT: a port on a root bus
 * @FABRIC_UPSTREAM: the port of a switch that faces the root
 * @FABRIC_DOWNSTREAM: the other ports of a switch
 * @FABRIC_ENDPOINT: below a port
 * @FABRIC_INTEGRATED: an endpoint on a root bus
 */
enum fabric_kind {
	FABRIC_HOST_FUNCTION,
	FABRIC_ROOT_PORT,
	FABRIC_UPSTREAM,
	FABRIC_DOWNSTREAM,
	FABRIC_ENDPOINT,
	FABRIC_INTEGRATED,
};

/**
 * struct fabric_bar - a base address register, as described
 * @size: bytes, a power of two; 0 for none
 * @prefetch: prefetchable
 * @wide: 64 bits, so that the next register is its upper half
 */
struct fabric_bar {
	u64 size;
	bool prefetch;
	bool wide;
};

/**
 * struct fabric_function - a PCI function
 * @node: in the list of its bus, in order of @devfn
 * @children: of a port: the functions on its secondary bus
 * @host: the host bridge that owns it
 * @parent: the port above, NULL on a root bus
 * @kind: what it is
 * @name: of the description, "" for none
 * @line: of the description
 * @vendor: its id
 * @device: its id
 * @class: class code, 24 bits
 * @bus: number of the bus that it is on, as preset
 * @secondary: of a port: first bus below, as preset
 * @subordinate: of a port: last bus below, as preset
 * @devfn: its place on the bus
 * @depth: ports above it
 * @mask_bits: width of its DMA mask
 * @has_acs: it has the capability
 * @acs_cap: ACS Capability register
 * @acs_ctrl: ACS Control register, as described
 * @bars: as described
 * @absent: it was pulled out; under the host's lock, as all of config space
 * @value: config space
 * @writable: which bits of @value a write changes
 */
struct fabric_function {
	struct list_head node;
	struct list_head children;
	struct fabric_host *host;
	struct fabric_function *parent;
	enum fabric_kind kind;
	char name[FABRIC_NAME_SIZE];
	unsigned int line;
	u16 vendor;
	u16 device;
	u32 class;
	u8 bus;
	u8 secondary;
	u8 subordinate;
	u8 devfn;
	u8 depth;
	u8 mask_bits;
	bool has_acs;
	u16 acs_cap;
	u16 acs_ctrl;
	struct fabric_bar bars[PCI_STD_NUM_BARS];
	bool absent;
	u32 value[FABRIC_NR_REGISTERS];
	u32 writable[FABRIC_NR_REGISTERS];
};

/**
 * struct fabric_window - memory that a host bridge forwards
 * @res: CPU addresses; in the machine's resource tree while the host exists
 * @offset: CPU address minus bus address
 * @size: bytes
 * @start: CPU address where @anywhere and @bar do not say otherwise
 * @bus_start: bus address, where @by_bus says so
 * @anywhere: the module looks for a free place
 * @by_bus: @bus_start is given, not @offset
 * @bar: BAR of the function above that it lies in, -1 for none
 */
struct fabric_window {
	struct resource res;
	u64 offset;
	u64 size;
	u64 start;
	u64 bus_start;
	bool anywhere;
	bool by_bus;
	int bar;
};

/**
 * struct fabric_host - a host bridge and all functions below it
 * @node: in the fabric
 * @functions: on the root bus, in order of devfn
 * @line: of the description
 * @domain: PCI domain
 * @bus_first: number of the root bus
 * @bus_last: highest bus number below
 * @bus_given: the description says @bus_first
 * @domain_reserved: it holds the domain's number, for all that share it
 * @above: the function that this is a child of, as with VMD; or NULL
 * @above_pdev: the same, with a reference, while the host exists
 * @windows: what it forwards
 * @nr_windows: of them
 * @busn: bus numbers, for the PCI core
 * @sysdata: for the architecture; what the buses' sysdata points to
 * @bridge: of the PCI core, while it is there
 * @lock: taken for every access to config space
 * @reads: of config space; under @lock
 * @owners: the port whose secondary bus has that number; under @lock
 *
 * Belongs to the fabric until the PCI core knows it; from then on to the
 * bridge, whose release frees it: whoever still holds a removed device may
 * read its config space.
 */
struct fabric_host {
	struct list_head node;
	struct list_head functions;
	unsigned int line;
	u32 domain;
	u8 bus_first;
	u8 bus_last;
	bool bus_given;
	bool domain_reserved;
	struct fabric_function *above;
	struct pci_dev *above_pdev;
	struct fabric_window windows[FABRIC_MAX_WINDOWS];
	unsigned int nr_windows;
	struct resource busn;
	struct pci_sysdata sysdata;
	struct pci_host_bridge *bridge;
	raw_spinlock_t lock; /* config space is read under pci_lock too */
	u64 reads;
	struct fabric_function *owners[256];
};

/**
 * struct fabric_level - where the parser is
 * @indent: width of the white space before the line
 * @function: that the line described, or NULL for a host bridge
 */
struct fabric_level {
	unsigned int indent;
	struct fabric_function *function;
};

/**
 * enum fabric_state - of an open file
 * @FABRIC_READING: the description is not complete
 * @FABRIC_BUILT: the devices exist
 * @FABRIC_FAILED: there was an error, nothing exists
 */
enum fabric_state {
	FABRIC_READING,
	FABRIC_BUILT,
	FABRIC_FAILED,
};

/**
 * struct fabric - one open file
 * @lock: one call at a time
 * @state: what the file is good for
 * @hosts: in the order of the description
 * @nr_functions: of all hosts
 * @line: the line that is being collected
 * @line_length: characters in @line
 * @line_nr: lines seen
 * @levels: from the host bridge down to the last line
 * @nr_levels: of them
 * @message: what is wrong
 * @report: what read() returns
 * @report_size: bytes of it
 */
struct fabric {
	struct mutex lock; /* one call at a time */
	enum fabric_state state;
	struct list_head hosts;
	unsigned int nr_functions;
	char line[FABRIC_MAX_LINE];
	size_t line_length;
	unsigned int line_nr;
	struct fabric_level levels[FABRIC_MAX_DEPTH + 2];
	unsigned int nr_levels;
	char message[FABRIC_MESSAGE_SIZE];
	char *report;
	size_t report_size;
};

/* main.c */
int __printf(4, 5) fabric_fail(struct fabric *fabric, unsigned int line,
			       int error, const char *format, ...);

/* parse.c */
int fabric_parse_line(struct fabric *fabric, bool *end);

/* words.c */
#define FABRIC_MAX_WORDS	64

/**
 * struct fabric_words - the words of a line
 * @word: each ended by a zero
 * @nr: of them
 * @next: the first that is not used up
 */
struct fabric_words {
	char *word[FABRIC_MAX_WORDS];
	unsigned int nr;
	unsigned int next;
};

int fabric_split(char *line, struct fabric_words *words);
char *fabric_word(struct fabric_words *words);
int fabric_parse_number(const char *word, u64 max, u64 *value);
int fabric_parse_size(const char *word, u64 *value);
int fabric_parse_range(const char *word, int max, int *first, int *last);
int fabric_parse_place(const char *word, u32 *domain, int *bus);
int fabric_parse_id(const char *word, u16 *vendor, u16 *device);
u16 fabric_acs_bit(const char *word);

/* tree.c */
struct fabric_host *fabric_add_host(struct fabric *fabric);
struct fabric_function *fabric_add_function(struct fabric *fabric,
					    struct fabric_host *host,
					    struct fabric_function *parent,
					    enum fabric_kind kind);
bool fabric_place(struct fabric_function *function, int device, int fn);
bool fabric_is_port(const struct fabric_function *function);
bool fabric_is_multifunction(struct fabric_function *function);
struct fabric_function *fabric_find_name(struct fabric *fabric,
					 const char *name);
struct fabric_function *fabric_next_function(struct fabric_host *host,
					     struct fabric_function *function);
int fabric_complete(struct fabric *fabric);
void fabric_free_host(struct fabric_host *host);

/* config.c */
extern struct pci_ops fabric_config_ops;

void fabric_config_init(struct fabric_function *function);
struct fabric_function *fabric_config_find(struct fabric_host *host,
					   u8 bus, u8 devfn);
struct fabric_host *fabric_host_of(struct pci_bus *bus);
u64 fabric_config_reads(struct fabric_host *host);
void fabric_config_set_presence(struct fabric_function *top, bool present);

/* call.c */
long fabric_call(struct fabric *fabric, unsigned int cmd, void __user *user);

/* window.c */
int fabric_request_windows(struct fabric *fabric, struct fabric_host *host);
void fabric_release_windows(struct fabric_host *host);

/* host.c */
int fabric_build(struct fabric *fabric);
void fabric_remove(struct fabric *fabric);
int fabric_host_init(void);
void fabric_host_exit(void);

#endif /* _PEERBUF_FABRIC_H */
