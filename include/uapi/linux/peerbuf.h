/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * peerbuf: PCI device memory as dma-bufs, for peer-to-peer DMA.
 *
 * Kernel to user contract. Three kinds of file answer these calls:
 *
 *   control  /dev/peerbuf/control      every user: versions, inventory, routes
 *   node     /dev/peerbuf/<function>   the provider's owner: export, pools, revoke
 *   pool     a file descriptor made by %PEERBUF_IOC_POOL_CREATE
 *
 * Buffers leave the kernel as ordinary dma-buf file descriptors.
 */
#ifndef _UAPI_LINUX_PEERBUF_H
#define _UAPI_LINUX_PEERBUF_H

#include <linux/ioctl.h>
#include <linux/types.h>

/**
 * DOC: General format of the calls
 *
 * Every struct starts with @size, which the caller sets to the sizeof() it was
 * compiled with. A kernel that knows a longer struct takes the missing tail as
 * zero; a kernel that knows a shorter one accepts a longer struct whose unknown
 * tail is zero (the rules of copy_struct_from_user()). Outputs are written back
 * up to the caller's @size, and nothing is written on failure.
 *
 * All offsets and lengths are bytes and multiples of the page size.
 *
 * Errors that every call can return:
 *
 *  - ENOTTY: the command is unknown, or not for this kind of file
 *  - EINVAL: @size is shorter than the first version of the struct; a reserved
 *    field is not zero; a length is zero, or something is not page aligned
 *  - E2BIG: the struct is longer than the kernel knows, with a tail that is not
 *    zero; or more ranges than %PEERBUF_MAX_RANGES
 *  - EOPNOTSUPP: a flag bit that this kernel does not know
 *  - EFAULT: a pointer cannot be read or written
 *  - EOVERFLOW: a sum of offset and length does not fit 64 bits
 *  - ENODEV: the provider is gone
 *  - ENOMEM: out of kernel memory
 *  - EINTR: a signal ended a wait
 *  - EAGAIN: the provider's memory is stopped (%PEERBUF_STATE_STOPPED): try again
 *    when it is not; see PEERBUF_IOC_WATCH
 */

/** PEERBUF_IOC_TYPE - the ioctl type byte of every peerbuf call */
#define PEERBUF_IOC_TYPE	0xBE

/** PEERBUF_ABI - what &peerbuf_version.abi says; grows with every addition */
#define PEERBUF_ABI		4

/** PEERBUF_MAX_RANGES - most ranges that one buffer may consist of */
#define PEERBUF_MAX_RANGES	1024

/** PEERBUF_OFFSET_ANY - &peerbuf_range.offset for "wherever there is room" */
#define PEERBUF_OFFSET_ANY	(~(__u64)0)

/**
 * struct peerbuf_function - the address of a PCI function
 */
struct peerbuf_function {
	/** @domain: PCI domain (segment); VMD-like domains are above 0xffff */
	__u32 domain;
	/** @bus: bus number */
	__u8 bus;
	/** @devfn: device number in bits 7:3, function number in bits 2:0 */
	__u8 devfn;
	/** @reserved: must be zero */
	__u16 reserved;
};

/**
 * struct peerbuf_range - a piece of a window or of a pool
 */
struct peerbuf_range {
	/** @offset: bytes from the start of the window or pool */
	__u64 offset;
	/** @length: bytes */
	__u64 length;
};

/**
 * enum peerbuf_route - how an importer reaches a provider
 * @PEERBUF_ROUTE_NONE: it does not; the reason says why
 * @PEERBUF_ROUTE_BUS: below one bridge, by PCI bus address; no host bridge and
 *	no IOMMU sees the traffic
 * @PEERBUF_ROUTE_HOST: across a host bridge that is trusted to forward it, by
 *	an address from the importer's DMA API: an IOVA under an IOMMU, else the
 *	physical address
 */
enum peerbuf_route {
	PEERBUF_ROUTE_NONE = 0,
	PEERBUF_ROUTE_BUS = 1,
	PEERBUF_ROUTE_HOST = 2,
};

/**
 * enum peerbuf_reason - why the route is what it is
 * @PEERBUF_REASON_SAME_FUNCTION: bus: the provider itself is the importer
 * @PEERBUF_REASON_COMMON_BRIDGE: bus: a common bridge, no ACS redirect between
 * @PEERBUF_REASON_ACS_REDIRECT: a port between the two sends peer requests up
 *	to the host bridge: host where that bridge is trusted, else none
 * @PEERBUF_REASON_HOST_TRUSTED: host: no common bridge, trusted host bridge
 * @PEERBUF_REASON_HOST_UNTRUSTED: none: no common bridge, and the host bridge
 *	is not known to forward peer requests
 * @PEERBUF_REASON_NOT_PCI: none: the importer has no PCI function above it
 * @PEERBUF_REASON_DMA_MASK: none: the importer cannot express the address
 * @PEERBUF_REASON_NOT_REVOCABLE: none: the importer cannot give a mapping back
 *	when asked, and the export does not allow that
 *	(%PEERBUF_EXPORT_ALLOW_PINNED)
 * @PEERBUF_REASON_STATIC: none: the importer attached without the peer-to-peer
 *	contract (a plain dma_buf_attach()), and not both the export
 *	(%PEERBUF_EXPORT_ALLOW_STATIC) and the administrator allow that
 * @PEERBUF_REASON_DIRECT_REQUIRED: none: the export asks for a bus route
 * @PEERBUF_REASON_REVOKED: none: the buffer was revoked
 * @PEERBUF_REASON_READ_ONLY: the importer asked to write to a read-only buffer;
 *	found when it maps, as an attach does not tell the direction
 * @PEERBUF_REASON_PROVIDER_GONE: none: the provider was unbound or unplugged
 * @PEERBUF_REASON_STOPPED: none for now: the provider is being reset, or its
 *	memory does not answer for another reason that may pass
 */
enum peerbuf_reason {
	PEERBUF_REASON_SAME_FUNCTION = 1,
	PEERBUF_REASON_COMMON_BRIDGE = 2,
	PEERBUF_REASON_ACS_REDIRECT = 3,
	PEERBUF_REASON_HOST_TRUSTED = 4,
	PEERBUF_REASON_HOST_UNTRUSTED = 5,
	PEERBUF_REASON_NOT_PCI = 6,
	PEERBUF_REASON_DMA_MASK = 7,
	PEERBUF_REASON_NOT_REVOCABLE = 8,
	PEERBUF_REASON_STATIC = 9,
	PEERBUF_REASON_DIRECT_REQUIRED = 10,
	PEERBUF_REASON_REVOKED = 11,
	PEERBUF_REASON_READ_ONLY = 12,
	PEERBUF_REASON_PROVIDER_GONE = 13,
	PEERBUF_REASON_STOPPED = 14,
};

/**
 * enum peerbuf_class - what an importer promises about giving mappings back
 * @PEERBUF_CLASS_REVOCABLE: handles peer memory, unmaps when told to
 * @PEERBUF_CLASS_PINNED: handles peer memory, unmaps when it likes
 * @PEERBUF_CLASS_STATIC: never agreed to the peer-to-peer contract
 */
enum peerbuf_class {
	PEERBUF_CLASS_REVOCABLE = 0,
	PEERBUF_CLASS_PINNED = 1,
	PEERBUF_CLASS_STATIC = 2,
};

/** PEERBUF_VERDICT_IOMMU - an IOMMU translates the importer's host-route DMA */
#define PEERBUF_VERDICT_IOMMU		(1U << 0)
/** PEERBUF_VERDICT_BLOCKER - &peerbuf_verdict.blocker names a function */
#define PEERBUF_VERDICT_BLOCKER		(1U << 1)
/**
 * PEERBUF_VERDICT_KERNEL - the kernel's pci_p2pdma_distance() was asked too
 * (CONFIG_PCI_P2PDMA). Where a port redirects, and the kernel does not trust
 * the host bridges, only about these: it would log a line for each such pair.
 */
#define PEERBUF_VERDICT_KERNEL		(1U << 2)
/**
 * PEERBUF_VERDICT_DISAGREES - with %PEERBUF_VERDICT_KERNEL: what it says of the
 * topology, reachable or not, differs from @route and @reason
 */
#define PEERBUF_VERDICT_DISAGREES	(1U << 3)
/**
 * PEERBUF_VERDICT_ADMIN - a host bridge on the way is trusted only because the
 * administrator says so (module parameter trusted_bridges)
 */
#define PEERBUF_VERDICT_ADMIN		(1U << 4)

/**
 * struct peerbuf_verdict - the outcome of routing
 *
 * One and the same for the attach that was accepted or refused, the query, the
 * tracepoint and the command.
 */
struct peerbuf_verdict {
	/** @route: &enum peerbuf_route */
	__u32 route;
	/** @reason: &enum peerbuf_reason */
	__u32 reason;
	/** @flags: %PEERBUF_VERDICT_IOMMU and others */
	__u32 flags;
	/**
	 * @distance: hops between the two; 0 for one function, 2 for two
	 * functions of one device, 4 across one switch; -1 with no route
	 */
	__s32 distance;
	/**
	 * @blocker: with %PEERBUF_VERDICT_BLOCKER, the port whose ACS control
	 * redirects, or the function that stands for the untrusted host bridge
	 */
	struct peerbuf_function blocker;
	/**
	 * @acs: the redirecting bits of @blocker's ACS Control register
	 * (PCIe 6.0, 7.7.11.3): RR 0x04, CR 0x08, EC 0x20
	 */
	__u32 acs;
	/** @blocker_id: vendor << 16 | device of @blocker */
	__u32 blocker_id;
	/** @bus_offset: PCI bus address minus CPU physical address */
	__s64 bus_offset;
	/** @dma_mask: highest address that the importer can express */
	__u64 dma_mask;
};

/**
 * struct peerbuf_version - argument of PEERBUF_IOC_VERSION (control)
 *
 * What this kernel's peerbuf speaks.
 */
struct peerbuf_version {
	/** @size: sizeof(struct peerbuf_version) */
	__u32 size;
	/** @flags: must be zero */
	__u32 flags;
	/** @abi: out: %PEERBUF_ABI of the kernel */
	__u32 abi;
	/** @max_ranges: out: %PEERBUF_MAX_RANGES of the kernel */
	__u32 max_ranges;
};

#define PEERBUF_IOC_VERSION	_IO(PEERBUF_IOC_TYPE, 0x00)

/**
 * struct peerbuf_provider_info - argument of PEERBUF_IOC_PROVIDER (control)
 *
 * Errors: ENODEV, no such provider.
 */
struct peerbuf_provider_info {
	/** @size: sizeof(struct peerbuf_provider_info) */
	__u32 size;
	/** @flags: must be zero */
	__u32 flags;
	/** @provider: in: the function that is asked about */
	struct peerbuf_function provider;
	/** @nr_windows: out: windows are numbered from 0 */
	__u32 nr_windows;
	/** @nr_buffers: out: buffers that exist, revoked ones included */
	__u32 nr_buffers;
};

#define PEERBUF_IOC_PROVIDER	_IO(PEERBUF_IOC_TYPE, 0x01)

/** PEERBUF_WINDOW_PREFETCHABLE - reads have no side effects; mmap() is write-combined */
#define PEERBUF_WINDOW_PREFETCHABLE	(1U << 0)

/**
 * struct peerbuf_window_info - argument of PEERBUF_IOC_WINDOW (control)
 *
 * Errors: ENODEV, no such provider; ENOENT, no such window.
 */
struct peerbuf_window_info {
	/** @size: sizeof(struct peerbuf_window_info) */
	__u32 size;
	/** @index: in: number of the window */
	__u32 index;
	/** @provider: in: the function that is asked about */
	struct peerbuf_function provider;
	/** @flags: out: %PEERBUF_WINDOW_PREFETCHABLE; must be zero on entry */
	__u32 flags;
	/** @bar: out: number of the BAR, 0 to 5 */
	__u32 bar;
	/** @bar_offset: out: where the window starts in the BAR */
	__u64 bar_offset;
	/** @length: out: bytes */
	__u64 length;
	/** @available: out: bytes that no buffer and no pool holds */
	__u64 available;
	/** @phys: out: CPU physical address of the window */
	__u64 phys;
	/** @bus: out: PCI bus address of the window */
	__u64 bus;
};

#define PEERBUF_IOC_WINDOW	_IO(PEERBUF_IOC_TYPE, 0x02)

/**
 * struct peerbuf_route_query - argument of PEERBUF_IOC_ROUTE (control)
 *
 * Any two functions of the system, bound to peerbuf or not. The DMA mask is
 * checked against all of the provider's memory BARs.
 *
 * Errors: ENXIO, one of the two functions does not exist.
 */
struct peerbuf_route_query {
	/** @size: sizeof(struct peerbuf_route_query) */
	__u32 size;
	/** @flags: must be zero */
	__u32 flags;
	/** @provider: in: the function whose memory is to be reached */
	struct peerbuf_function provider;
	/** @importer: in: the function that does the DMA */
	struct peerbuf_function importer;
	/** @verdict: out: the outcome */
	struct peerbuf_verdict verdict;
};

#define PEERBUF_IOC_ROUTE	_IO(PEERBUF_IOC_TYPE, 0x03)

/** PEERBUF_BUFFER_REVOKED - nothing can be mapped any more */
#define PEERBUF_BUFFER_REVOKED		(1U << 0)
/** PEERBUF_BUFFER_POOLED - allocated from a pool; cleared before it was handed out */
#define PEERBUF_BUFFER_POOLED		(1U << 1)
/** PEERBUF_BUFFER_STOPPED - nothing can be mapped for a while */
#define PEERBUF_BUFFER_STOPPED		(1U << 2)
/** PEERBUF_BUFFER_READ_ONLY - exported with %PEERBUF_EXPORT_READ_ONLY */
#define PEERBUF_BUFFER_READ_ONLY	(1U << 3)

/**
 * struct peerbuf_buffer_info - argument of PEERBUF_IOC_BUFFER (control)
 *
 * What lies behind a dma-buf. Whoever holds the descriptor may ask.
 *
 * Errors: EBADF, @fd is not open; EINVAL, not a dma-buf, or not one of ours;
 * ENOSPC, more than @nr_ranges ranges (call again with room for
 * %PEERBUF_MAX_RANGES).
 */
struct peerbuf_buffer_info {
	/** @size: sizeof(struct peerbuf_buffer_info) */
	__u32 size;
	/** @flags: out: %PEERBUF_BUFFER_REVOKED and others; zero on entry */
	__u32 flags;
	/** @fd: in: the dma-buf */
	__s32 fd;
	/** @window: out: number of the window */
	__u32 window;
	/** @provider: out: whose memory it is */
	struct peerbuf_function provider;
	/** @id: out: the buffer's number, unique for the provider */
	__u64 id;
	/** @length: out: bytes, all ranges together */
	__u64 length;
	/**
	 * @ranges: in: address of @nr_ranges &struct peerbuf_range, which are
	 * filled in with offsets in the window; or 0, for none
	 */
	__u64 ranges;
	/** @nr_ranges: in: room at @ranges; out: ranges of the buffer */
	__u32 nr_ranges;
	/** @reserved: must be zero */
	__u32 reserved;
	/** @generation: out: as in &struct peerbuf_event; since ABI 4 */
	__u64 generation;
};

#define PEERBUF_IOC_BUFFER	_IO(PEERBUF_IOC_TYPE, 0x04)

/**
 * struct peerbuf_port_info - one PCI function on the way to the root
 */
struct peerbuf_port_info {
	/** @function: its address */
	struct peerbuf_function function;
	/** @vendor: PCI vendor id */
	__u16 vendor;
	/** @device: PCI device id */
	__u16 device;
	/**
	 * @type: device/port type of the PCI Express capability (PCIe 6.0,
	 * 7.5.3.2): 0 endpoint, 4 root port, 5 upstream and 6 downstream port of
	 * a switch; 0xff for a conventional PCI function
	 */
	__u8 type;
	/** @flags: %PEERBUF_PORT_ACS */
	__u8 flags;
	/** @acs_cap: ACS Capability register, what the port could do */
	__u16 acs_cap;
	/** @acs_ctrl: ACS Control register, what it does */
	__u16 acs_ctrl;
	/** @reserved: zero */
	__u16 reserved;
	/** @reserved2: zero */
	__u32 reserved2;
};

/** PEERBUF_PORT_ACS - the port has an ACS capability */
#define PEERBUF_PORT_ACS	(1U << 0)

/**
 * struct peerbuf_path_query - argument of PEERBUF_IOC_PATH (control)
 *
 * The way from a function up to its root bus, as routing sees it.
 *
 * Errors: ENXIO, the function does not exist; ENOSPC, the way is longer than
 * @nr_ports (which needs no more than 256).
 */
struct peerbuf_path_query {
	/** @size: sizeof(struct peerbuf_path_query) */
	__u32 size;
	/** @flags: must be zero */
	__u32 flags;
	/** @function: in: where to begin */
	struct peerbuf_function function;
	/** @ports: in: address of room for @nr_ports &struct peerbuf_port_info */
	__u64 ports;
	/** @nr_ports: in: room; out: entries, the function itself comes first */
	__u32 nr_ports;
	/** @reserved: must be zero */
	__u32 reserved;
	/**
	 * @host: out: the function that stands for the host bridge, as the
	 * kernel's list of trusted bridges knows it; vendor 0 if there is none
	 */
	struct peerbuf_port_info host;
};

#define PEERBUF_IOC_PATH	_IO(PEERBUF_IOC_TYPE, 0x05)

/**
 * struct peerbuf_route_entry - how one importer reaches a provider
 */
struct peerbuf_route_entry {
	/** @importer: the function that does the DMA */
	struct peerbuf_function importer;
	/** @verdict: the outcome */
	struct peerbuf_verdict verdict;
};

/**
 * struct peerbuf_routes_query - argument of PEERBUF_IOC_ROUTES (control)
 *
 * %PEERBUF_IOC_ROUTE for one provider and every function of the system, bridges
 * and the provider itself included, in the order in which the kernel lists them.
 * The cost of a pair does not depend on how many functions there are.
 *
 * A call that finds more functions than @nr_routes succeeds, fills all of
 * @routes, and says how many there are. Functions may come and go between calls.
 *
 * Errors: ENXIO, the provider does not exist.
 */
struct peerbuf_routes_query {
	/** @size: sizeof(struct peerbuf_routes_query) */
	__u32 size;
	/** @flags: must be zero */
	__u32 flags;
	/** @provider: in: the function whose memory is to be reached */
	struct peerbuf_function provider;
	/** @routes: in: address of @nr_routes &struct peerbuf_route_entry */
	__u64 routes;
	/** @nr_routes: in: room, may be 0; out: functions of the system */
	__u32 nr_routes;
	/** @reserved: must be zero */
	__u32 reserved;
};

#define PEERBUF_IOC_ROUTES	_IO(PEERBUF_IOC_TYPE, 0x06)

/**
 * enum peerbuf_state - what may be done with a buffer
 * @PEERBUF_STATE_IN_USE: everything that its flags allow
 * @PEERBUF_STATE_STOPPED: nothing for a while: the provider is being reset, or
 *	its memory does not answer. Importers have been told to let go; attach,
 *	map, mmap() and DMA_BUF_IOCTL_SYNC fail with EAGAIN, exports too; a process
 *	that touches a mapping gets SIGBUS
 * @PEERBUF_STATE_REVOKED: nothing any more: revoked, or at its end
 */
enum peerbuf_state {
	PEERBUF_STATE_IN_USE = 0,
	PEERBUF_STATE_STOPPED = 1,
	PEERBUF_STATE_REVOKED = 2,
};

/**
 * struct peerbuf_event - what read() of a watch returns
 */
struct peerbuf_event {
	/**
	 * @generation: 1 when the provider was bound, and one more each time
	 * that its memory is in use again after a stop in which contents may
	 * have been lost: what was in the buffer before is to be written anew
	 */
	__u64 generation;
	/** @state: &enum peerbuf_state */
	__u32 state;
	/** @reserved: zero */
	__u32 reserved;
};

/**
 * struct peerbuf_watch - argument of PEERBUF_IOC_WATCH (control)
 *
 * Makes a descriptor that tells of changes to a buffer's state and generation.
 * Whoever holds the dma-buf may ask; the watch keeps neither the buffer nor its
 * memory.
 *
 * poll() has POLLIN and POLLPRI when there was a change since the last read(),
 * or since this call, and POLLHUP, for good, once the buffer is revoked or its
 * last descriptor is closed. read() returns a &struct peerbuf_event with what is
 * now, however many changes there were, and waits for a change, if there was
 * none; after the event that says %PEERBUF_STATE_REVOKED it returns 0. By the time
 * that a stop or a revoke is told, importers have been asked to let go, and no
 * process has the memory in its page tables.
 *
 * Errors: EBADF, @fd is not open; EINVAL, not a dma-buf, or not one of ours;
 * EMFILE and ENFILE. Of read(): EINVAL, room for less than an event; EAGAIN,
 * nothing to tell, with O_NONBLOCK.
 */
struct peerbuf_watch {
	/** @size: sizeof(struct peerbuf_watch) */
	__u32 size;
	/** @flags: must be zero */
	__u32 flags;
	/** @fd: in: the dma-buf */
	__s32 fd;
	/** @open_flags: in: O_CLOEXEC and O_NONBLOCK, or 0 */
	__u32 open_flags;
	/** @watch: out: the new descriptor */
	__s32 watch;
	/** @state: out: &enum peerbuf_state, from which changes count */
	__u32 state;
	/** @generation: out: likewise */
	__u64 generation;
};

#define PEERBUF_IOC_WATCH	_IO(PEERBUF_IOC_TYPE, 0x07)

/** PEERBUF_EXPORT_SHARED - may overlap other exports that say so too (node only) */
#define PEERBUF_EXPORT_SHARED		(1U << 0)
/**
 * PEERBUF_EXPORT_ALLOW_PINNED - admit importers, and kernel mappings, that
 * cannot be revoked: revoke then waits until they are done
 */
#define PEERBUF_EXPORT_ALLOW_PINNED	(1U << 1)
/**
 * PEERBUF_EXPORT_ALLOW_STATIC - admit importers that never agreed to the
 * peer-to-peer contract, where the administrator allows them for the window
 * (allow_static in sysfs)
 */
#define PEERBUF_EXPORT_ALLOW_STATIC	(1U << 2)
/** PEERBUF_EXPORT_DIRECT - bus routes only: refuse what crosses a host bridge */
#define PEERBUF_EXPORT_DIRECT		(1U << 3)
/**
 * PEERBUF_EXPORT_READ_ONLY - nobody who holds the dma-buf can write to the memory
 *
 * Importers may map it for devices that read (DMA_TO_DEVICE) and for nothing else:
 * other maps fail with EACCES. Processes may map it for reading, the kernel not
 * at all, and DMA_BUF_IOCTL_SYNC with a write in it fails with EACCES. Needs
 * O_RDONLY in &peerbuf_export.open_flags. Where the way to the memory is a host
 * route with an IOMMU, the IOMMU stops a device that writes in spite of it.
 */
#define PEERBUF_EXPORT_READ_ONLY	(1U << 4)

/**
 * struct peerbuf_export - argument of PEERBUF_IOC_EXPORT (node, pool)
 *
 * On a node, every range needs an offset, the device's content stays as it is,
 * and ranges of different buffers overlap only where both say
 * %PEERBUF_EXPORT_SHARED. On a pool, offsets are relative to the pool,
 * %PEERBUF_OFFSET_ANY lets peerbuf choose, and the memory is zero when the call
 * returns.
 *
 * Errors: EACCES, the file is not open for writing; ENOENT, no such window;
 * EINVAL, %PEERBUF_EXPORT_READ_ONLY without O_RDONLY, or an offset that has not
 * the pool's alignment; EPERM, the pool withholds what @flags ask for, or
 * requires what they lack; ERANGE, a range reaches beyond the window or pool;
 * EBUSY, a range is lent already; ENOSPC, no room of that size and alignment;
 * EDQUOT, the pool's quota of bytes or its number of buffers is used up, or the
 * caller's cgroup may not have that much of the window (dmem.max); ENODEV, the
 * pool was revoked; EMFILE and ENFILE.
 */
struct peerbuf_export {
	/** @size: sizeof(struct peerbuf_export) */
	__u32 size;
	/** @flags: %PEERBUF_EXPORT_SHARED and others */
	__u32 flags;
	/** @window: in: number of the window; zero on a pool */
	__u32 window;
	/** @nr_ranges: in: 1 to %PEERBUF_MAX_RANGES */
	__u32 nr_ranges;
	/** @ranges: in: address of @nr_ranges &struct peerbuf_range */
	__u64 ranges;
	/**
	 * @align: in: alignment of the PCI bus address of every range that
	 * peerbuf places, a power of two from the page size to 1 GiB; 0 for
	 * the page size. The pool may ask for more. Zero on a node.
	 */
	__u64 align;
	/** @open_flags: in: O_CLOEXEC and one of O_RDONLY, O_WRONLY, O_RDWR */
	__u32 open_flags;
	/** @fd: out: the dma-buf */
	__s32 fd;
	/** @id: out: the buffer's number, for PEERBUF_IOC_REVOKE */
	__u64 id;
};

#define PEERBUF_IOC_EXPORT	_IO(PEERBUF_IOC_TYPE, 0x10)

/** PEERBUF_REVOKE_NOWAIT - start, do not wait; EINPROGRESS while not complete */
#define PEERBUF_REVOKE_NOWAIT		(1U << 0)

/**
 * struct peerbuf_revoke - argument of PEERBUF_IOC_REVOKE (node, pool)
 *
 * Take a buffer back from every importer and every CPU mapping, for good. New
 * maps and faults fail from the start of the call; the call returns when the
 * last old one is gone. Calling again is harmless, and goes on waiting.
 *
 * Errors: EACCES, the file is not open for writing; ENOENT, no such buffer (of
 * this pool); EINPROGRESS, with %PEERBUF_REVOKE_NOWAIT; EINTR, the wait was
 * ended, the revoke stands.
 */
struct peerbuf_revoke {
	/** @size: sizeof(struct peerbuf_revoke) */
	__u32 size;
	/** @flags: %PEERBUF_REVOKE_NOWAIT */
	__u32 flags;
	/** @id: in: from PEERBUF_IOC_EXPORT */
	__u64 id;
};

#define PEERBUF_IOC_REVOKE	_IO(PEERBUF_IOC_TYPE, 0x11)

/** PEERBUF_POOL_READ_ONLY - exports must say %PEERBUF_EXPORT_READ_ONLY */
#define PEERBUF_POOL_READ_ONLY		(1U << 0)
/** PEERBUF_POOL_NO_STATIC - exports may not say %PEERBUF_EXPORT_ALLOW_STATIC */
#define PEERBUF_POOL_NO_STATIC		(1U << 1)
/** PEERBUF_POOL_NO_PINNED - exports may not say %PEERBUF_EXPORT_ALLOW_PINNED */
#define PEERBUF_POOL_NO_PINNED		(1U << 2)
/** PEERBUF_POOL_DIRECT - exports must say %PEERBUF_EXPORT_DIRECT */
#define PEERBUF_POOL_DIRECT		(1U << 3)
/** PEERBUF_POOL_REVOKED - in &peerbuf_pool_info.flags only: nothing more comes */
#define PEERBUF_POOL_REVOKED		(1U << 4)

/** PEERBUF_POOL_BUFFERS - most buffers of a pool that does not say how many */
#define PEERBUF_POOL_BUFFERS		4096
/** PEERBUF_POOL_MAX_BUFFERS - highest &peerbuf_pool_create.max_buffers */
#define PEERBUF_POOL_MAX_BUFFERS	65536

/**
 * struct peerbuf_pool_create - argument of PEERBUF_IOC_POOL_CREATE (node)
 *
 * Lend a part of a window to peerbuf's allocator. The descriptor is the right
 * to allocate from it, within the limits given here, and to revoke what was
 * allocated, and no other right. It can be passed on; its last close revokes the
 * pool's buffers, clears what they held and gives the range back to the window.
 * So does %PEERBUF_IOC_POOL_REVOKE, at any time.
 *
 * The first version of the struct ends with @reserved: without limits.
 *
 * Errors: EACCES, the file is not open for writing; ENOENT, no such window;
 * EINVAL, @align is no power of two in its bounds, or @max_buffers is above
 * %PEERBUF_POOL_MAX_BUFFERS; ERANGE, beyond the window, or @quota beyond
 * @length; EBUSY, a part is lent already; EMFILE and ENFILE.
 */
struct peerbuf_pool_create {
	/** @size: sizeof(struct peerbuf_pool_create) */
	__u32 size;
	/** @flags: %PEERBUF_POOL_READ_ONLY and others, but %PEERBUF_POOL_REVOKED */
	__u32 flags;
	/** @window: in: number of the window */
	__u32 window;
	/** @open_flags: in: O_CLOEXEC or 0 */
	__u32 open_flags;
	/** @offset: in: bytes from the start of the window */
	__u64 offset;
	/** @length: in: bytes */
	__u64 length;
	/** @fd: out: the pool */
	__s32 fd;
	/** @reserved: must be zero */
	__u32 reserved;
	/** @quota: in: most bytes that buffers hold at once; 0 for all of @length */
	__u64 quota;
	/**
	 * @align: in: least alignment of the PCI bus address of every range, a
	 * power of two from the page size to 1 GiB; 0 for the page size
	 */
	__u64 align;
	/**
	 * @max_buffers: in: most buffers that exist at once, revoked ones that
	 * somebody still has open included; 0 for %PEERBUF_POOL_BUFFERS
	 */
	__u32 max_buffers;
	/** @reserved2: must be zero */
	__u32 reserved2;
	/** @id: out: the pool's number, for PEERBUF_IOC_POOL_REVOKE */
	__u64 id;
};

#define PEERBUF_IOC_POOL_CREATE	_IO(PEERBUF_IOC_TYPE, 0x12)

/** PEERBUF_COMM_LEN - room for the name of a process, with its NUL */
#define PEERBUF_COMM_LEN	16

/**
 * struct peerbuf_buffer_entry - a buffer of a provider, and how it is used
 *
 * Times are nanoseconds of CLOCK_BOOTTIME. Numbers of one entry are not all
 * taken at the same instant.
 */
struct peerbuf_buffer_entry {
	/** @id: the buffer's number, unique for the provider */
	__u64 id;
	/** @length: bytes, all ranges together */
	__u64 length;
	/**
	 * @generation: 1 when the provider was bound, and one more each time
	 * that contents may have been lost
	 */
	__u64 generation;
	/** @created: when it was exported */
	__u64 created;
	/** @revoked: when its revoke began, 0 for never */
	__u64 revoked;
	/**
	 * @revoke_ns: how long that took until nobody could reach the memory, at
	 * least 1; 0 while it has not been found to be so
	 */
	__u64 revoke_ns;
	/** @mapped: bytes of all importers' mappings, each counted by itself */
	__u64 mapped;
	/** @cpu_mapped: bytes of address space of all @nr_cpu_maps */
	__u64 cpu_mapped;
	/** @window: number of the window */
	__u32 window;
	/** @flags: %PEERBUF_BUFFER_REVOKED and others */
	__u32 flags;
	/** @export_flags: %PEERBUF_EXPORT_SHARED and others, as exported */
	__u32 export_flags;
	/** @nr_ranges: ranges that it consists of */
	__u32 nr_ranges;
	/** @nr_importers: devices that are attached, see PEERBUF_IOC_HOLDERS */
	__u32 nr_importers;
	/** @nr_maps: mappings that importers have */
	__u32 nr_maps;
	/**
	 * @nr_cpu_maps: areas of processes' address spaces that map it, revoked
	 * or not; fork() and a split each make one of one
	 */
	__u32 nr_cpu_maps;
	/** @nr_kernel_maps: mappings that the kernel has for its own CPU access */
	__u32 nr_kernel_maps;
	/**
	 * @pid: process that exported it, which may be gone, in the caller's PID
	 * namespace; 0 if it is not visible there
	 */
	__s32 pid;
	/** @uid: user who exported it, in the caller's user namespace */
	__u32 uid;
	/** @comm: name of the thread that exported it, NUL-terminated */
	char comm[PEERBUF_COMM_LEN];
};

/**
 * struct peerbuf_buffers_query - argument of PEERBUF_IOC_BUFFERS (node)
 *
 * All buffers of the provider, in the order of their numbers, revoked ones that
 * somebody still has open included. Works, other than other calls, while the
 * provider is being unbound and after: it tells whom that waits for.
 *
 * A call that finds more buffers than @nr_entries succeeds, fills all of
 * @entries, and says how many there are. Buffers may come and go meanwhile; one
 * that exists all the time is listed exactly once.
 *
 * Errors: EINVAL, @entry_size is shorter than the first version of the entry;
 * E2BIG, @entry_size is longer than a page.
 */
struct peerbuf_buffers_query {
	/** @size: sizeof(struct peerbuf_buffers_query) */
	__u32 size;
	/** @flags: must be zero */
	__u32 flags;
	/** @entries: in: address of @nr_entries &struct peerbuf_buffer_entry */
	__u64 entries;
	/** @nr_entries: in: room, may be 0; out: buffers of the provider */
	__u32 nr_entries;
	/**
	 * @entry_size: in: sizeof(struct peerbuf_buffer_entry); what the kernel
	 * does not know of it becomes zero
	 */
	__u32 entry_size;
	/**
	 * @longest_revoke_ns: out: longest &peerbuf_buffer_entry.revoke_ns since
	 * the provider was bound
	 */
	__u64 longest_revoke_ns;
};

#define PEERBUF_IOC_BUFFERS	_IO(PEERBUF_IOC_TYPE, 0x14)

/** PEERBUF_DEVICE_LEN - room for the name of a device, with its NUL */
#define PEERBUF_DEVICE_LEN	64

/** PEERBUF_HOLDER_PCI - &peerbuf_holder_entry.function is the importer's */
#define PEERBUF_HOLDER_PCI	(1U << 0)

/** PEERBUF_ACCESS_READ - the device may read (DMA_TO_DEVICE, or both ways) */
#define PEERBUF_ACCESS_READ	(1U << 0)
/** PEERBUF_ACCESS_WRITE - the device may write (DMA_FROM_DEVICE, or both ways) */
#define PEERBUF_ACCESS_WRITE	(1U << 1)

/**
 * struct peerbuf_holder_entry - a device that is attached to a buffer
 */
struct peerbuf_holder_entry {
	/** @device: its name in the kernel, cut off if longer; NUL-terminated */
	char device[PEERBUF_DEVICE_LEN];
	/** @function: with %PEERBUF_HOLDER_PCI, its address; else zero */
	struct peerbuf_function function;
	/** @verdict: how it was found to reach the memory when it attached */
	struct peerbuf_verdict verdict;
	/**
	 * @since: when the first of the present mappings was made,
	 * nanoseconds of CLOCK_BOOTTIME; 0 with none
	 */
	__u64 since;
	/** @mapped: bytes of all its mappings, each counted by itself */
	__u64 mapped;
	/** @importer_class: &enum peerbuf_class */
	__u32 importer_class;
	/** @flags: %PEERBUF_HOLDER_PCI */
	__u32 flags;
	/** @access: %PEERBUF_ACCESS_READ and others, of the present mappings */
	__u32 access;
	/** @nr_maps: mappings that it has */
	__u32 nr_maps;
};

/**
 * struct peerbuf_holders_query - argument of PEERBUF_IOC_HOLDERS (node)
 *
 * The importers of one buffer, in the order in which they attached; a device
 * that attached twice is listed twice. Array and provider are as in
 * &struct peerbuf_buffers_query.
 *
 * Errors: ENOENT, no such buffer; EINVAL and E2BIG, @entry_size as there.
 */
struct peerbuf_holders_query {
	/** @size: sizeof(struct peerbuf_holders_query) */
	__u32 size;
	/** @flags: must be zero */
	__u32 flags;
	/** @id: in: the buffer's number */
	__u64 id;
	/** @entries: in: address of @nr_entries &struct peerbuf_holder_entry */
	__u64 entries;
	/** @nr_entries: in: room, may be 0; out: importers of the buffer */
	__u32 nr_entries;
	/** @entry_size: in: sizeof(struct peerbuf_holder_entry) */
	__u32 entry_size;
};

#define PEERBUF_IOC_HOLDERS	_IO(PEERBUF_IOC_TYPE, 0x15)

/**
 * struct peerbuf_pool_revoke - argument of PEERBUF_IOC_POOL_REVOKE (node)
 *
 * Take a pool back, whoever holds its descriptor: nothing more is exported from
 * it, its buffers are revoked as by %PEERBUF_IOC_REVOKE, and no others, and as
 * soon as none of its memory is in use, what was used is cleared and the range
 * is the window's again. The call returns when that is done. Calling again is
 * harmless, and goes on waiting.
 *
 * Errors: EACCES, the file is not open for writing; ENOENT, no such pool, or its
 * last descriptor was closed and it is gone; EINPROGRESS, with
 * %PEERBUF_REVOKE_NOWAIT; EINTR, the wait was ended, the revoke stands.
 */
struct peerbuf_pool_revoke {
	/** @size: sizeof(struct peerbuf_pool_revoke) */
	__u32 size;
	/** @flags: %PEERBUF_REVOKE_NOWAIT */
	__u32 flags;
	/** @id: in: from PEERBUF_IOC_POOL_CREATE */
	__u64 id;
};

#define PEERBUF_IOC_POOL_REVOKE	_IO(PEERBUF_IOC_TYPE, 0x13)

/**
 * struct peerbuf_pool_info - argument of PEERBUF_IOC_POOL_INFO (pool)
 *
 * The first version of the struct ends with @available.
 */
struct peerbuf_pool_info {
	/** @size: sizeof(struct peerbuf_pool_info) */
	__u32 size;
	/** @flags: out: %PEERBUF_POOL_READ_ONLY and others; zero on entry */
	__u32 flags;
	/** @provider: out: whose memory it is */
	struct peerbuf_function provider;
	/** @window: out: number of the window */
	__u32 window;
	/** @nr_buffers: out: buffers of this pool that exist */
	__u32 nr_buffers;
	/** @offset: out: where the pool starts in the window */
	__u64 offset;
	/** @length: out: bytes */
	__u64 length;
	/** @available: out: bytes that no buffer holds; 0 once it is revoked */
	__u64 available;
	/** @id: out: the pool's number, unique for the provider */
	__u64 id;
	/** @quota: out: most bytes that buffers hold at once */
	__u64 quota;
	/** @used: out: bytes that buffers hold */
	__u64 used;
	/** @align: out: least alignment of a range's PCI bus address */
	__u64 align;
	/** @max_buffers: out: most buffers that exist at once */
	__u32 max_buffers;
	/** @reserved: zero */
	__u32 reserved;
};

#define PEERBUF_IOC_POOL_INFO	_IO(PEERBUF_IOC_TYPE, 0x20)

#endif /* _UAPI_LINUX_PEERBUF_H */
