/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the peerbuf selftests share.
 *
 * Calls return 0, a descriptor or a count, and a negative errno on failure, so
 * that a test can expect the failure it is after. Where a failure would only
 * mean that the test cannot go on, wrap the call in must(): it says what
 * failed, and ends the test.
 */
#ifndef _PEERBUF_LIB_H
#define _PEERBUF_LIB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <kselftest.h>
#include <linux/peerbuf.h>
#include <linux/peerbuf_edu.h>
#include <linux/peerbuf_igb.h>
#include <linux/peerbuf_nvme.h>

#include "../modules/peerbuf_test_uapi.h"

#define KIB(n)			((size_t)(n) << 10)
#define MIB(n)			((size_t)(n) << 20)
#define PAGE			KIB(4)

/* Of the harness, in seconds: 30 are not enough for a busy host that emulates. */
#ifdef TEST_TIMEOUT_DEFAULT
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT	120
#endif

/* expect.c: what this machine is expected to do */

/**
 * struct pb_expect - the topology, from the environment
 * @topology: PEERBUF_TOPOLOGY
 * @route: PEERBUF_ROUTE, &enum peerbuf_route between provider and importer
 * @reason: PEERBUF_REASON, &enum peerbuf_reason between provider and importer
 * @iommu: PEERBUF_IOMMU, addresses are IOVAs
 * @admin: PEERBUF_ADMIN, the host bridges are trusted by trusted_bridges= alone
 * @data: PEERBUF_DATA, DMA data can be verified
 * @hotplug: PEERBUF_HOTPLUG, devices can be pulled out
 * @monitor: PEERBUF_MONITOR, path of the line to QEMU's monitor, or NULL
 */
struct pb_expect {
	const char *topology;
	unsigned int route;
	unsigned int reason;
	bool iommu;
	bool admin;
	bool data;
	bool hotplug;
	const char *monitor;
};

const struct pb_expect *pb_expect(void);
bool pb_debug_kernel(void);
unsigned long long pb_setting(const char *name, unsigned long long value);
long pb_must(long value, const char *what, const char *file, int line);
void __noreturn __printf(3, 4)
pb_fail(const char *file, int line, const char *format, ...);

#define must(call)	pb_must((call), #call, __FILE__, __LINE__)
#define fail(...)	pb_fail(__FILE__, __LINE__, __VA_ARGS__)

/* file.c: the kernel's files that are switches */

int pb_write_file(const char *path, const char *text);

/* device.c: PCI functions, as sysfs shows them */

#define PB_IVSHMEM	0x1af41110U	/* vendor << 16 | device */
#define PB_EDU		0x123411e8U
#define PB_VIRTIO_GPU	0x1af41050U
#define PB_BOCHS	0x12341111U
#define PB_NVME		0x1b360010U
#define PB_IGB		0x808610c9U

/**
 * struct pb_device - a PCI function
 * @function: its address
 * @name: its address as text, 0000:02:00.0
 */
struct pb_device {
	struct peerbuf_function function;
	char name[24];
};

int pb_find(unsigned int id, struct pb_device *devices, int max);
struct pb_device pb_provider(int index);
struct pb_device pb_importer(int index);
struct pb_device pb_drive(int index);
struct pb_device pb_port(int index);
bool pb_present(const struct pb_device *device);
int pb_bar(const struct pb_device *device, int bar, __u64 *start,
	   __u64 *length);
int pb_bind(const struct pb_device *device, const char *driver);
int pb_probe(const struct pb_device *device, const char *driver);
int pb_unbind(const struct pb_device *device);
bool pb_is_bound(const struct pb_device *device, const char *driver);
int pb_reset_function(const struct pb_device *device);
int pb_remove(const struct pb_device *device);
int pb_rescan(void);
int pb_allow_static(const struct pb_device *provider, unsigned int window,
		    int value);
bool pb_same_function(const struct peerbuf_function *a,
		      const struct peerbuf_function *b);

/* pci.c: what an administrator can do to a function */

bool pb_attribute_is(const struct pb_device *device, const char *name,
		     const char *text);
int pb_set_attribute(const struct pb_device *device, const char *name,
		     const char *text);
int pb_reset(const struct pb_device *device);
int pb_reset_below(const struct pb_device *port);
struct pb_device pb_port_of(const struct pb_device *device);
unsigned int pb_config_read(const struct pb_device *device, unsigned int reg);
void pb_config_write(const struct pb_device *device, unsigned int reg,
		     unsigned int value);
unsigned int pb_express(const struct pb_device *device);

/* call.c: the ioctls */

int pb_ioctl(int fd, unsigned long cmd, void *arg);
int pb_open_control(void);
int pb_open_node(const struct pb_device *provider, int flags);
int pb_open_edu(const struct pb_device *importer);
int pb_window(const struct pb_device *provider, unsigned int index,
	      struct peerbuf_window_info *info);
int pb_provider_info(const struct pb_device *provider,
		     struct peerbuf_provider_info *info);
int pb_route(const struct peerbuf_function *provider,
	     const struct peerbuf_function *importer,
	     struct peerbuf_verdict *verdict);
int pb_routes(const struct peerbuf_function *provider,
	      struct peerbuf_route_entry *entries, unsigned int room);
int pb_buffer(int dmabuf, struct peerbuf_buffer_info *info,
	      struct peerbuf_range *ranges, unsigned int nr);
int pb_export_ranges(int fd, unsigned int flags,
		     const struct peerbuf_range *ranges, unsigned int nr,
		     __u64 align, __u64 *id);
int pb_export_at(int node, unsigned int flags, __u64 offset,
		 __u64 length, __u64 *id);
int pb_alloc(int pool, __u64 length, __u64 *id);
int pb_export_mode(int node, unsigned int open_flags, __u64 offset,
		   __u64 length);
int pb_export_read_only(int fd, unsigned int flags, __u64 offset,
			__u64 length, __u64 *id);
int pb_revoke(int fd, __u64 id, unsigned int flags);
int pb_pool(int node, __u64 offset, __u64 length);
int pb_pool_limited(int node, struct peerbuf_pool_create *arg);
int pb_pool_revoke(int node, __u64 id, unsigned int flags);
int pb_pool_info(int pool, struct peerbuf_pool_info *info);
int pb_watch_buffer(int dmabuf, unsigned int open_flags,
		    struct peerbuf_watch *watch);
int pb_watch_read(int watch, struct peerbuf_event *event);
__u64 pb_generation(int dmabuf);

int pb_import(int edu, int dmabuf, unsigned int *handle);
int pb_import_read(int edu, int dmabuf, unsigned int *handle);
int pb_release(int edu, unsigned int handle);
int pb_copy(int edu, unsigned int handle, unsigned int direction,
	    __u64 offset, unsigned int engine_offset, unsigned int length);
int pb_address(int edu, unsigned int handle, __u64 offset,
	       __u64 *address, __u64 *contiguous);

/* igb.c: frames, and the ioctls of peerbuf_igb */

#define PB_FRAME_HEADER	14		/* bytes of an Ethernet header */

bool pb_has_ports(void);
int pb_open_port(const struct pb_device *port);
int pb_port_info(int port, struct peerbuf_igb_info *info);
int pb_port_set(int port, unsigned int fields, unsigned int loopback,
		unsigned int slot_size, int eventfd);
bool pb_port_wait_link(int port, bool up);
int pb_port_import(int port, int dmabuf, unsigned int flags,
		   unsigned int *handle);
int pb_port_release(int port, unsigned int handle);
int pb_port_send(int port, unsigned int handle, __u64 offset,
		 unsigned int length, __u64 cookie);
int pb_port_recv(int port, unsigned int handle, __u64 offset,
		 unsigned int length, __u64 cookie);
int pb_port_reap(int port, struct peerbuf_igb_completion *done,
		 unsigned int nr);
int pb_port_wait(int port, struct peerbuf_igb_completion *done,
		 unsigned int nr, unsigned int timeout_ms);
void pb_port_drain(int port);
void pb_frame_make(void *memory, unsigned int length, __u64 seed);
bool pb_frame_holds(const void *memory, unsigned int length, __u64 seed);

/* holders.c: who holds what */

int pb_buffers(int node, struct peerbuf_buffer_entry *entries,
	       unsigned int room);
int pb_holders(int node, __u64 id, struct peerbuf_holder_entry *entries,
	       unsigned int room);
int pb_find_buffer(int node, __u64 id, struct peerbuf_buffer_entry *entry);
long long pb_counter(const struct pb_device *provider, const char *name);

/* state.c: nothing may have changed */

/**
 * struct pb_state - what a call that failed must leave alone
 * @available: bytes free in window 0
 * @nr_buffers: buffers of the provider
 * @pool_available: bytes free in the pool, if there is one
 * @pool_buffers: buffers of the pool, if there is one
 * @nr_fds: open descriptors of this process
 */
struct pb_state {
	__u64 available;
	unsigned int nr_buffers;
	__u64 pool_available;
	unsigned int pool_buffers;
	unsigned int nr_fds;
};

struct pb_state pb_state(const struct pb_device *provider, int pool);
bool pb_same_state(const struct pb_state *before, const struct pb_state *after);
bool pb_unchanged(const struct pb_state *before,
		  const struct pb_device *provider, int pool);
unsigned int pb_nr_fds(void);
int pb_nr_attached(void);

/* inject.c: failures on order (debug kernel) */

int pb_inject_open(void);
void pb_inject_spare(const char *function);
void pb_inject(int inject, unsigned int nth);
bool pb_inject_end(int inject);

/* memory.c: CPU mappings, and what is in them */

void *pb_map(int fd, __u64 offset, size_t length, int prot);
int pb_try_map(int fd, __u64 offset, size_t length, int prot, int flags);
int pb_sync(int fd, __u64 flags);
void pb_fill(void *memory, size_t length, __u64 seed);
bool pb_holds(const void *memory, size_t length, __u64 seed);
bool pb_is_zero(const void *memory, size_t length);
int pb_touch(void *address, bool write);
void pb_write_buffer(int dmabuf, __u64 offset, size_t length, __u64 seed);
bool pb_buffer_holds(int dmabuf, __u64 offset, size_t length, __u64 seed);

/* process.c: other processes, with fewer rights */

int pb_send_fd(int socket, int fd);
int pb_receive_fd(int socket);
void pb_become_nobody(void);
bool pb_sandbox(void);
pid_t pb_fork(void);
int pb_join(pid_t child);
void pb_sleep_ms(unsigned int ms);
__u64 pb_now_ms(void);
void pb_interrupt_after(unsigned int ms);

/* random.c: random numbers that a seed brings again */

__u64 pb_random(__u64 *state);
unsigned int pb_random_below(__u64 *state, unsigned int limit);

/* foreign.c: dma-bufs of other exporters */

int pb_udmabuf(size_t length);
int pb_heap(size_t length);

/* log.c: the kernel log */

unsigned int pb_count_log(const char *text);
int pb_expect_log(const char *text);

/* monitor.c: QEMU, from inside */

int pb_monitor(const char *command, char *reply, size_t size);
int pb_plug_path(const char *id, char *bus, size_t size);
bool pb_wait_until(bool (*done)(const void *arg), const void *arg,
		   unsigned int timeout_ms);

/* hotplug.c: devices that come and go */

bool pb_wait_present(const struct pb_device *device);
bool pb_wait_absent(const struct pb_device *device);
bool pb_has_pciehp(const struct pb_device *port);
int pb_unplug(const struct pb_device *device, const char *id);
void pb_slot_power(const struct pb_device *port, bool on);
int pb_plug(const struct pb_device *device, const char *arguments,
	    const char *bus);
int pb_plug_provider(const struct pb_device *device, const char *id,
		     size_t size, const char *bus);

/* trace.c: what importers were told that tell nobody */

/**
 * struct pb_attach_seen - the verdict on an attach, as the tracepoint words it
 * @route: of &enum peerbuf_route
 * @reason: of &enum peerbuf_reason
 * @error: what the importer got, 0 or a negative errno
 */
struct pb_attach_seen {
	char route[32];
	char reason[32];
	int error;
};

int pb_watch(void);
int pb_seen(const char *event, const char *importer);
int pb_seen_words(const char *event, const char *words);
int pb_seen_attach(const char *importer, struct pb_attach_seen *seen);
int pb_seen_refusal(const char *importer, char *reason, size_t size,
		    int *error);

/* nvme.c: the calls of peerbuf_nvme */

int pb_open_nvme(const struct pb_device *drive, int flags);
int pb_nvme_import(int nvme, int dmabuf, unsigned int direction,
		   unsigned int *handle);
int pb_nvme_release(int nvme, unsigned int handle);
int pb_nvme_info(int nvme, unsigned int nsid, struct peerbuf_nvme_info *info);
int pb_nvme_io(int nvme, unsigned int opcode, unsigned int nsid,
	       unsigned int handle, __u64 offset, __u64 lba, unsigned int blocks);
int pb_nvme_reset(int nvme);
int pb_nvme_parameter(const char *name, unsigned int value);

/* importer.c: the importers, as far as they are alike */

/**
 * struct pb_importer_calls - what every importer has
 * @driver: its name
 * @device: the function number @index of those that it binds to
 * @open: the node; a descriptor or a negative errno
 * @import: a dma-buf, to read and write; 0 or a negative errno
 * @release: what was imported; 0 or a negative errno
 */
struct pb_importer_calls {
	const char *driver;
	struct pb_device (*device)(int index);
	int (*open)(const struct pb_device *device);
	int (*import)(int file, int dmabuf, unsigned int *handle);
	int (*release)(int file, unsigned int handle);
};

extern const struct pb_importer_calls pb_edu_calls;
extern const struct pb_importer_calls pb_nvme_calls;
extern const struct pb_importer_calls pb_igb_calls;

/* uring.c: io_uring, without a library */

/**
 * struct pb_uring - a ring with big SQEs, for IORING_OP_URING_CMD
 * @fd: the ring
 * @entries: SQEs; there are twice as many CQEs
 * @sq: mapping of both rings
 * @sqes: mapping of the SQEs
 * @params: what the kernel said of them
 * @queued: SQEs that were queued since the last submit
 */
struct pb_uring {
	int fd;
	unsigned int entries;
	char *sq;
	char *sqes;
	void *params;
	unsigned int queued;
};

int pb_uring_open(struct pb_uring *ring, unsigned int entries, bool big);
void pb_uring_close(struct pb_uring *ring);
void pb_uring_queue(struct pb_uring *ring, int fd, unsigned int command,
		    const void *arg, size_t size, __u64 tag);
int pb_uring_submit(struct pb_uring *ring, unsigned int wait);
bool pb_uring_reap(struct pb_uring *ring, __u64 *tag, int *result);

/* instrument.c: /dev/peerbuf_test */

int pb_open_test(void);
int pb_test_attach(int test, int dmabuf, const struct pb_device *importer,
		   unsigned int kind, unsigned int delay_ms,
		   unsigned int *handle);
int pb_test_attach_for(int test, int dmabuf, const struct pb_device *importer,
		       unsigned int kind, unsigned int direction,
		       unsigned int *handle);
int pb_test_call(int test, unsigned long cmd, unsigned int handle);
int pb_test_map_info(int test, unsigned int handle,
		     struct peerbuf_test_map_info *info,
		     struct peerbuf_test_segment *segments, unsigned int nr);
bool pb_test_mapped(int test, unsigned int handle);
int pb_test_vmap(int test, int dmabuf, unsigned int *handle);
int pb_test_access(int test, unsigned int handle, bool write, __u64 offset,
		   void *data, unsigned int length, bool *is_iomem);
int pb_test_oracle(int test, const struct pb_device *provider, int bar,
		   const struct pb_device *importer,
		   const struct peerbuf_range *ranges, unsigned int nr_ranges,
		   bool fresh, struct peerbuf_test_segment *segments,
		   unsigned int *nr);
int pb_test_page(int test, const void *address, struct peerbuf_test_page *page);
int pb_test_pieces(int test, unsigned int piece, unsigned int count);
int pb_test_forward(int test, int dmabuf);
int pb_test_stray(int test, const struct pb_device *engine, __u64 address,
		  unsigned int length, bool write);
struct pb_device pb_usable_importer(const struct pb_device *provider);

#endif /* _PEERBUF_LIB_H */
