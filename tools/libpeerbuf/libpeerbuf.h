/* SPDX-License-Identifier: MIT */
/*
 * libpeerbuf: PCI device memory as dma-bufs, from user space.
 *
 * A thin layer over the calls in <linux/peerbuf.h>, whose structs it uses.
 * What the calls mean is said there; this header says what the library adds.
 *
 * Every function that can fail returns a negative errno, and only that: it
 * prints nothing, keeps no state and may be called from any thread. Functions
 * that return a descriptor open it with O_CLOEXEC.
 *
 * A struct that a function fills in starts with its size, which the caller sets
 * first, so that a program and a library of different age agree:
 *
 *	struct peerbuf_window_info info = { .size = sizeof(info) };
 *
 *	err = peerbuf_get_window(control, &provider, 0, &info);
 */
#ifndef LIBPEERBUF_H
#define LIBPEERBUF_H

#include <stddef.h>
#include <linux/peerbuf.h>

#ifdef __cplusplus
extern "C" {
#endif

/** PEERBUF_DEV_DIR - where the device nodes are */
#define PEERBUF_DEV_DIR		"/dev/peerbuf"
/** PEERBUF_CONTROL_PATH - the node that every user may open */
#define PEERBUF_CONTROL_PATH	PEERBUF_DEV_DIR "/control"
/** PEERBUF_CLASS_DIR - where sysfs lists the providers */
#define PEERBUF_CLASS_DIR	"/sys/class/peerbuf"
/** PEERBUF_FUNCTION_LEN - room for any PCI address as text, with its NUL */
#define PEERBUF_FUNCTION_LEN	17
/** PEERBUF_ACS_LEN - room for the names of all ACS bits, with their NUL */
#define PEERBUF_ACS_LEN		21
/** PEERBUF_PORT_CONVENTIONAL - &peerbuf_port_info.type of a function without PCIe */
#define PEERBUF_PORT_CONVENTIONAL	0xff
/** PEERBUF_MAX_PORTS - &peerbuf_path_query.nr_ports that is always enough */
#define PEERBUF_MAX_PORTS	256

/* PCI addresses: function.c */

/**
 * peerbuf_parse_function() - read a PCI address
 * @text: "0000:02:00.0", or "02:00.0" for domain 0; hexadecimal
 * @function: filled in on success
 *
 * Return: 0, or -EINVAL if @text is anything else.
 */
int peerbuf_parse_function(const char *text, struct peerbuf_function *function);

/**
 * peerbuf_format_function() - write a PCI address, as the kernel does
 * @function: the address
 * @text: where to write it
 * @size: room at @text; %PEERBUF_FUNCTION_LEN is always enough
 *
 * Return: length of the text without its NUL, or -ENOSPC.
 */
int peerbuf_format_function(const struct peerbuf_function *function, char *text,
			    size_t size);

/* Words: words.c. For values that the library does not know: "unknown". */

/**
 * peerbuf_route_name() - a route in one word
 * @route: &enum peerbuf_route
 *
 * Return: a constant string.
 */
const char *peerbuf_route_name(__u32 route);

/**
 * peerbuf_route_text() - a route in one sentence
 * @route: &enum peerbuf_route
 *
 * Return: a constant string.
 */
const char *peerbuf_route_text(__u32 route);

/**
 * peerbuf_reason_name() - a reason in one word
 * @reason: &enum peerbuf_reason
 *
 * Return: a constant string.
 */
const char *peerbuf_reason_name(__u32 reason);

/**
 * peerbuf_reason_text() - a reason in one sentence
 * @reason: &enum peerbuf_reason
 *
 * Return: a constant string.
 */
const char *peerbuf_reason_text(__u32 reason);

/**
 * peerbuf_hint() - what a person can do about a verdict
 * @route: &peerbuf_verdict.route
 * @reason: &peerbuf_verdict.reason
 *
 * "PORT" in it stands for the address of &peerbuf_verdict.blocker, "HOST" for its
 * vendor:device. It names the price, where there is one.
 *
 * Return: a constant string.
 */
const char *peerbuf_hint(__u32 route, __u32 reason);

/**
 * peerbuf_verdict_flag_name() - a flag of a verdict in one word
 * @flag: one bit of &peerbuf_verdict.flags
 *
 * Return: a constant string.
 */
const char *peerbuf_verdict_flag_name(__u32 flag);

/**
 * peerbuf_pool_flag_name() - a limit of a pool in one word
 * @flag: one bit of &peerbuf_pool_info.flags
 *
 * Return: a constant string.
 */
const char *peerbuf_pool_flag_name(__u32 flag);

/**
 * peerbuf_class_name() - what an importer promises, in one word
 * @class_: &enum peerbuf_class
 *
 * Return: a constant string.
 */
const char *peerbuf_class_name(__u32 class_);

/**
 * peerbuf_port_type_name() - what kind of port a function is
 * @type: &peerbuf_port_info.type
 *
 * Return: a constant string.
 */
const char *peerbuf_port_type_name(__u8 type);

/**
 * peerbuf_format_acs() - the names of ACS bits, as in "SV RR CR UF"
 * @bits: &peerbuf_port_info.acs_cap or &peerbuf_port_info.acs_ctrl
 * @text: where to write them
 * @size: room at @text; %PEERBUF_ACS_LEN is always enough
 *
 * The names are those of PCIe 6.0, 7.7.11: SV source validation, TB translation
 * blocking, RR request redirect, CR completion redirect, UF upstream forwarding,
 * EC egress control, DT direct translated.
 *
 * Return: length of the text without its NUL, 0 for no bit; or -ENOSPC.
 */
int peerbuf_format_acs(__u16 bits, char *text, size_t size);

/* Files: calls.c */

/**
 * peerbuf_open_control() - open the control node, which every user may
 *
 * Return: a descriptor; -ENOENT if the module is not loaded; or an error of
 * open().
 */
int peerbuf_open_control(void);

/**
 * peerbuf_open_node() - open a provider's node
 * @provider: whose
 * @flags: O_RDWR, which lending and revoking need; or O_RDONLY
 *
 * Return: a descriptor; -ENOENT if the function is not a provider; -EACCES if
 * the node belongs to somebody else.
 */
int peerbuf_open_node(const struct peerbuf_function *provider, int flags);

/**
 * peerbuf_list_providers() - all providers, in the order of their addresses
 * @list: set to an array that the caller frees with free(); NULL if empty
 *
 * Reads sysfs, so it needs no privilege and no descriptor.
 *
 * Return: the number of providers; -ENOENT if the module is not loaded.
 */
int peerbuf_list_providers(struct peerbuf_function **list);

/* Questions that everybody may ask, on the control node: calls.c */

/**
 * peerbuf_get_version() - PEERBUF_IOC_VERSION: what the kernel speaks
 * @control: the control node
 * @version: filled in
 *
 * Return: 0, or an error.
 */
int peerbuf_get_version(int control, struct peerbuf_version *version);

/**
 * peerbuf_get_provider() - PEERBUF_IOC_PROVIDER: how many windows and buffers
 * @control: the control node
 * @provider: which
 * @info: filled in
 *
 * Return: 0; -ENODEV if there is no such provider; or an error.
 */
int peerbuf_get_provider(int control, const struct peerbuf_function *provider,
			 struct peerbuf_provider_info *info);

/**
 * peerbuf_get_window() - PEERBUF_IOC_WINDOW: where and how large
 * @control: the control node
 * @provider: which
 * @index: number of the window, from 0 on
 * @info: filled in
 *
 * Return: 0; -ENODEV if there is no such provider, -ENOENT no such window; or an
 * error.
 */
int peerbuf_get_window(int control, const struct peerbuf_function *provider,
		       __u32 index, struct peerbuf_window_info *info);

/**
 * peerbuf_query_route() - PEERBUF_IOC_ROUTE: does one function reach another?
 * @control: the control node
 * @provider: the function whose memory is to be reached
 * @importer: the function that does the DMA
 * @query: filled in; its verdict is the answer
 *
 * Return: 0, also for a verdict that there is no route; -ENXIO if one of the two
 * does not exist; or an error.
 */
int peerbuf_query_route(int control, const struct peerbuf_function *provider,
			const struct peerbuf_function *importer,
			struct peerbuf_route_query *query);

/**
 * peerbuf_query_routes() - PEERBUF_IOC_ROUTES: who reaches a function?
 * @control: the control node
 * @provider: the function whose memory is to be reached
 * @query: filled in: its nr_routes says how many functions the system has, which
 *	may be more than there is room for
 * @routes: room for an entry for each function of the system
 * @nr_routes: how many; 0 to ask how many there are
 *
 * Return: 0; -ENXIO if the provider does not exist; or an error.
 */
int peerbuf_query_routes(int control, const struct peerbuf_function *provider,
			 struct peerbuf_routes_query *query,
			 struct peerbuf_route_entry *routes, __u32 nr_routes);

/**
 * peerbuf_path() - PEERBUF_IOC_PATH: the way from a function to its root bus
 * @control: the control node
 * @function: where to begin
 * @query: filled in: how many ports there are, and who stands for the host bridge
 * @ports: room for the ports: the function itself, then each bridge above it
 * @nr_ports: how many; %PEERBUF_MAX_PORTS is always enough
 *
 * Return: 0; -ENXIO if the function does not exist; -ENOSPC if there are more
 * ports than there is room for; or an error.
 */
int peerbuf_path(int control, const struct peerbuf_function *function,
		 struct peerbuf_path_query *query,
		 struct peerbuf_port_info *ports, __u32 nr_ports);

/**
 * peerbuf_get_buffer() - PEERBUF_IOC_BUFFER: what is behind a dma-buf
 * @control: the control node
 * @dmabuf: the buffer
 * @info: filled in
 * @ranges: room for the buffer's ranges; or NULL, for none
 * @nr_ranges: how many; %PEERBUF_MAX_RANGES is always enough
 *
 * Return: 0; -EINVAL if it is not a buffer of peerbuf; -ENOSPC if it has more
 * ranges than there is room for; or an error.
 */
int peerbuf_get_buffer(int control, int dmabuf, struct peerbuf_buffer_info *info,
		       struct peerbuf_range *ranges, __u32 nr_ranges);

/**
 * peerbuf_watch_buffer() - PEERBUF_IOC_WATCH: be told of a buffer's changes
 * @control: the control node
 * @dmabuf: the buffer, which need not stay open
 * @open_flags: O_CLOEXEC and O_NONBLOCK, or 0
 * @watch: filled in: how the buffer is now
 *
 * Return: a descriptor for poll() and peerbuf_read_watch(); -EINVAL if it is not
 * a buffer of peerbuf; or an error.
 */
int peerbuf_watch_buffer(int control, int dmabuf, int open_flags,
			 struct peerbuf_watch *watch);

/**
 * peerbuf_read_watch() - wait for a change of a buffer
 * @watch: from peerbuf_watch_buffer()
 * @event: filled in: how the buffer is now
 *
 * Return: 1; 0 if there is nothing to come, as the buffer is gone; -EAGAIN if
 * nothing has changed, with O_NONBLOCK; or an error.
 */
int peerbuf_read_watch(int watch, struct peerbuf_event *event);

/**
 * peerbuf_state_name() - a state in a word or two
 * @state: &enum peerbuf_state
 *
 * Return: a constant string, "unknown" for what this library does not know.
 */
const char *peerbuf_state_name(__u32 state);

/* Lending, on a node or a pool: calls.c */

/**
 * peerbuf_export_fixed() - lend one range of a window as it is
 * @node: the provider's node, open for writing
 * @window: number of the window
 * @offset: bytes from the start of the window
 * @length: bytes
 * @flags: %PEERBUF_EXPORT_SHARED and others
 * @id: set to the buffer's number, unless NULL
 *
 * Return: the dma-buf, open for reading and, but with %PEERBUF_EXPORT_READ_ONLY,
 * writing; or an error.
 */
int peerbuf_export_fixed(int node, __u32 window, __u64 offset, __u64 length,
			 __u32 flags, __u64 *id);

/**
 * peerbuf_export_pooled() - allocate a cleared buffer, anywhere in a pool
 * @pool: from peerbuf_create_pool()
 * @length: bytes
 * @align: of the PCI bus address, a power of two; or 0, for the page size
 * @flags: %PEERBUF_EXPORT_ALLOW_PINNED and others
 * @id: set to the buffer's number, unless NULL
 *
 * Return: the dma-buf, open for reading and, but with %PEERBUF_EXPORT_READ_ONLY,
 * writing; -EPERM or -EDQUOT if the pool's limits forbid it; or an error.
 */
int peerbuf_export_pooled(int pool, __u64 length, __u64 align, __u32 flags,
			  __u64 *id);

/**
 * peerbuf_export_ranges() - PEERBUF_IOC_EXPORT, for all that it can do
 * @fd: a node or a pool
 * @args: in: everything but @ranges and @nr_ranges, which are taken from
 *	the arguments; out: the buffer's number. @open_flags are used as they are.
 * @ranges: what to lend
 * @nr_ranges: how many
 *
 * Return: the dma-buf, or an error.
 */
int peerbuf_export_ranges(int fd, struct peerbuf_export *args,
			  const struct peerbuf_range *ranges, __u32 nr_ranges);

/**
 * peerbuf_revoke_buffer() - PEERBUF_IOC_REVOKE: take a buffer back
 * @fd: the node or pool that it was exported from
 * @id: the buffer's number
 * @flags: %PEERBUF_REVOKE_NOWAIT or 0
 *
 * Return: 0 when nobody holds it any more; -EINPROGRESS or -EINTR if the revoke
 * goes on; -ENOENT if there is no such buffer; or an error.
 */
int peerbuf_revoke_buffer(int fd, __u64 id, __u32 flags);

/**
 * peerbuf_create_pool() - PEERBUF_IOC_POOL_CREATE, without limits
 * @node: the provider's node, open for writing
 * @window: number of the window
 * @offset: bytes from the start of the window
 * @length: bytes
 *
 * Return: the pool, which exists until its last descriptor is closed; or an
 * error.
 */
int peerbuf_create_pool(int node, __u32 window, __u64 offset, __u64 length);

/**
 * peerbuf_create_limited_pool() - PEERBUF_IOC_POOL_CREATE, for all that it can do
 * @node: the provider's node, open for writing
 * @args: in: everything, the limits included; out: the pool's number.
 *	@open_flags are used as they are.
 *
 * Return: the pool, which exists until its last descriptor is closed; or an
 * error.
 */
int peerbuf_create_limited_pool(int node, struct peerbuf_pool_create *args);

/**
 * peerbuf_revoke_pool() - PEERBUF_IOC_POOL_REVOKE: take a pool back
 * @node: the provider's node, open for writing
 * @id: the pool's number
 * @flags: %PEERBUF_REVOKE_NOWAIT or 0
 *
 * Return: 0 when the range is the window's again; -EINPROGRESS or -EINTR if the
 * revoke goes on; -ENOENT if there is no such pool; or an error.
 */
int peerbuf_revoke_pool(int node, __u64 id, __u32 flags);

/**
 * peerbuf_get_pool() - PEERBUF_IOC_POOL_INFO: where, how large, how full
 * @pool: from peerbuf_create_pool()
 * @info: filled in
 *
 * Return: 0, or an error.
 */
int peerbuf_get_pool(int pool, struct peerbuf_pool_info *info);

/* Who holds what, on a node: calls.c */

/**
 * peerbuf_list_buffers() - PEERBUF_IOC_BUFFERS: what a provider has lent
 * @node: the provider's node; O_RDONLY will do
 * @query: in: its @entry_size, sizeof(entries[0]); filled in: its nr_entries says
 *	how many buffers there are, which may be more than there is room for
 * @entries: room for an entry for each buffer
 * @nr_entries: how many; 0 to ask how many there are
 *
 * Return: 0, or an error.
 */
int peerbuf_list_buffers(int node, struct peerbuf_buffers_query *query,
			 struct peerbuf_buffer_entry *entries, __u32 nr_entries);

/**
 * peerbuf_list_holders() - PEERBUF_IOC_HOLDERS: the importers of a buffer
 * @node: the provider's node; O_RDONLY will do
 * @id: the buffer's number
 * @query: in: its @entry_size, sizeof(entries[0]); filled in: its nr_entries says
 *	how many importers there are, which may be more than there is room for
 * @entries: room for an entry for each importer
 * @nr_entries: how many; 0 to ask how many there are
 *
 * Return: 0; -ENOENT if there is no such buffer; or an error.
 */
int peerbuf_list_holders(int node, __u64 id, struct peerbuf_holders_query *query,
			 struct peerbuf_holder_entry *entries, __u32 nr_entries);

/* Passing descriptors on, over a Unix socket: pass.c */

/**
 * peerbuf_send_fd() - pass a descriptor on
 * @sock: a connected Unix socket, stream or packet
 * @fd: the descriptor, which stays open here
 *
 * Return: 0, or an error of sendmsg().
 */
int peerbuf_send_fd(int sock, int fd);

/**
 * peerbuf_recv_fd() - take a descriptor that peerbuf_send_fd() passed on
 * @sock: a connected Unix socket, stream or packet
 *
 * Return: the descriptor; -ECONNRESET if the other side has closed;
 * -EBADMSG if something else than one descriptor came, which is then dropped;
 * -EMFILE if there was no room for it; or an error of recvmsg().
 */
int peerbuf_recv_fd(int sock);

#ifdef __cplusplus
}
#endif

#endif /* LIBPEERBUF_H */
