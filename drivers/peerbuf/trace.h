/* SPDX-License-Identifier: GPL-2.0-only */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM peerbuf

#if !defined(_PEERBUF_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _PEERBUF_TRACE_H

#include <linux/device.h>
#include <linux/dma-direction.h>
#include <linux/mm.h>
#include <linux/pci.h>
#include <linux/tracepoint.h>

#include "buffer.h"
#include "provider.h"

#define show_route(route)					\
	__print_symbolic(route,					\
			 { PEERBUF_ROUTE_NONE, "none" },	\
			 { PEERBUF_ROUTE_BUS, "bus" },		\
			 { PEERBUF_ROUTE_HOST, "host" })

#define show_reason(reason)						\
	__print_symbolic(reason,					\
			 { PEERBUF_REASON_SAME_FUNCTION, "same-function" }, \
			 { PEERBUF_REASON_COMMON_BRIDGE, "common-bridge" }, \
			 { PEERBUF_REASON_ACS_REDIRECT, "acs-redirect" }, \
			 { PEERBUF_REASON_HOST_TRUSTED, "host-trusted" }, \
			 { PEERBUF_REASON_HOST_UNTRUSTED, "host-untrusted" }, \
			 { PEERBUF_REASON_NOT_PCI, "not-pci" },		\
			 { PEERBUF_REASON_DMA_MASK, "dma-mask" },	\
			 { PEERBUF_REASON_NOT_REVOCABLE, "not-revocable" }, \
			 { PEERBUF_REASON_STATIC, "static" },		\
			 { PEERBUF_REASON_DIRECT_REQUIRED, "direct-required" }, \
			 { PEERBUF_REASON_REVOKED, "revoked" },		\
			 { PEERBUF_REASON_READ_ONLY, "read-only" },	\
			 { PEERBUF_REASON_PROVIDER_GONE, "provider-gone" }, \
			 { PEERBUF_REASON_STOPPED, "stopped" })

#define show_stops(stops)						\
	__print_flags(stops, "|",					\
		      { BIT(PEERBUF_STOP_RESET), "reset" },		\
		      { BIT(PEERBUF_STOP_ERROR), "error" },		\
		      { BIT(PEERBUF_STOP_SUSPEND), "suspend" },	\
		      { BIT(PEERBUF_STOP_LOST), "lost" },		\
		      { BIT(PEERBUF_STOP_QUIESCE), "quiesce" })

#define show_dir(dir)						\
	__print_symbolic(dir,					\
			 { DMA_BIDIRECTIONAL, "bidirectional" }, \
			 { DMA_TO_DEVICE, "to-device" },	\
			 { DMA_FROM_DEVICE, "from-device" })

DECLARE_EVENT_CLASS(peerbuf_buffer,
	TP_PROTO(const struct peerbuf_buffer *buffer),
	TP_ARGS(buffer),
	TP_STRUCT__entry(
		__string(provider, pci_name(buffer->provider->pdev))
		__field(u64, id)
		__field(u64, length)
		__field(u32, ranges)
		__field(u32, users)
	),
	TP_fast_assign(
		__assign_str(provider);
		__entry->id = buffer->id;
		__entry->length = buffer->length;
		__entry->ranges = buffer->nr_extents;
		__entry->users = READ_ONCE(buffer->users);
	),
	TP_printk("provider=%s buffer=%llu length=%llu ranges=%u users=%u",
		  __get_str(provider), __entry->id, __entry->length,
		  __entry->ranges, __entry->users)
);

DEFINE_EVENT(peerbuf_buffer, peerbuf_export,
	TP_PROTO(const struct peerbuf_buffer *buffer), TP_ARGS(buffer));
DEFINE_EVENT(peerbuf_buffer, peerbuf_release,
	TP_PROTO(const struct peerbuf_buffer *buffer), TP_ARGS(buffer));
DEFINE_EVENT(peerbuf_buffer, peerbuf_revoke,
	TP_PROTO(const struct peerbuf_buffer *buffer), TP_ARGS(buffer));
DEFINE_EVENT(peerbuf_buffer, peerbuf_revoked,
	TP_PROTO(const struct peerbuf_buffer *buffer), TP_ARGS(buffer));
DEFINE_EVENT(peerbuf_buffer, peerbuf_vmap,
	TP_PROTO(const struct peerbuf_buffer *buffer), TP_ARGS(buffer));
DEFINE_EVENT(peerbuf_buffer, peerbuf_vunmap,
	TP_PROTO(const struct peerbuf_buffer *buffer), TP_ARGS(buffer));

TRACE_EVENT(peerbuf_attach,
	TP_PROTO(const struct peerbuf_buffer *buffer, struct device *importer,
		 const struct peerbuf_verdict *verdict, int error),
	TP_ARGS(buffer, importer, verdict, error),
	TP_STRUCT__entry(
		__string(provider, pci_name(buffer->provider->pdev))
		__string(importer, dev_name(importer))
		__field(u64, id)
		__field(u32, route)
		__field(u32, reason)
		__field(s32, distance)
		__field(u32, flags)
		__field(u32, blocker_domain)
		__field(u8, blocker_bus)
		__field(u8, blocker_devfn)
		__field(u32, acs)
		__field(int, error)
	),
	TP_fast_assign(
		__assign_str(provider);
		__assign_str(importer);
		__entry->id = buffer->id;
		__entry->route = verdict->route;
		__entry->reason = verdict->reason;
		__entry->distance = verdict->distance;
		__entry->flags = verdict->flags;
		__entry->blocker_domain = verdict->blocker.domain;
		__entry->blocker_bus = verdict->blocker.bus;
		__entry->blocker_devfn = verdict->blocker.devfn;
		__entry->acs = verdict->acs;
		__entry->error = error;
	),
	TP_printk("provider=%s buffer=%llu importer=%s route=%s reason=%s distance=%d flags=%#x blocker=%04x:%02x:%02x.%x acs=%#x error=%d",
		  __get_str(provider), __entry->id, __get_str(importer),
		  show_route(__entry->route), show_reason(__entry->reason),
		  __entry->distance, __entry->flags, __entry->blocker_domain,
		  __entry->blocker_bus, PCI_SLOT(__entry->blocker_devfn),
		  PCI_FUNC(__entry->blocker_devfn), __entry->acs,
		  __entry->error)
);

TRACE_EVENT(peerbuf_detach,
	TP_PROTO(const struct peerbuf_buffer *buffer, struct device *importer),
	TP_ARGS(buffer, importer),
	TP_STRUCT__entry(
		__string(provider, pci_name(buffer->provider->pdev))
		__string(importer, dev_name(importer))
		__field(u64, id)
	),
	TP_fast_assign(
		__assign_str(provider);
		__assign_str(importer);
		__entry->id = buffer->id;
	),
	TP_printk("provider=%s buffer=%llu importer=%s", __get_str(provider),
		  __entry->id, __get_str(importer))
);

DECLARE_EVENT_CLASS(peerbuf_mapping,
	TP_PROTO(const struct peerbuf_buffer *buffer, struct device *importer,
		 enum dma_data_direction dir, unsigned int entries),
	TP_ARGS(buffer, importer, dir, entries),
	TP_STRUCT__entry(
		__string(provider, pci_name(buffer->provider->pdev))
		__string(importer, dev_name(importer))
		__field(u64, id)
		__field(int, dir)
		__field(unsigned int, entries)
	),
	TP_fast_assign(
		__assign_str(provider);
		__assign_str(importer);
		__entry->id = buffer->id;
		__entry->dir = dir;
		__entry->entries = entries;
	),
	TP_printk("provider=%s buffer=%llu importer=%s dir=%s entries=%u",
		  __get_str(provider), __entry->id, __get_str(importer),
		  show_dir(__entry->dir), __entry->entries)
);

DEFINE_EVENT(peerbuf_mapping, peerbuf_map,
	TP_PROTO(const struct peerbuf_buffer *buffer, struct device *importer,
		 enum dma_data_direction dir, unsigned int entries),
	TP_ARGS(buffer, importer, dir, entries));
DEFINE_EVENT(peerbuf_mapping, peerbuf_unmap,
	TP_PROTO(const struct peerbuf_buffer *buffer, struct device *importer,
		 enum dma_data_direction dir, unsigned int entries),
	TP_ARGS(buffer, importer, dir, entries));

/* An importer that was admitted, but not for this, or not any more. */
TRACE_EVENT(peerbuf_map_refused,
	TP_PROTO(const struct peerbuf_buffer *buffer, struct device *importer,
		 enum dma_data_direction dir, u32 reason, int error),
	TP_ARGS(buffer, importer, dir, reason, error),
	TP_STRUCT__entry(
		__string(provider, pci_name(buffer->provider->pdev))
		__string(importer, dev_name(importer))
		__field(u64, id)
		__field(int, dir)
		__field(u32, reason)
		__field(int, error)
	),
	TP_fast_assign(
		__assign_str(provider);
		__assign_str(importer);
		__entry->id = buffer->id;
		__entry->dir = dir;
		__entry->reason = reason;
		__entry->error = error;
	),
	TP_printk("provider=%s buffer=%llu importer=%s dir=%s reason=%s error=%d",
		  __get_str(provider), __entry->id, __get_str(importer),
		  show_dir(__entry->dir), show_reason(__entry->reason),
		  __entry->error)
);

/* @stops: the causes; @us: how long it took to stop, or how long it was stopped */
DECLARE_EVENT_CLASS(peerbuf_provider,
	TP_PROTO(const struct peerbuf_provider *provider, unsigned int stops,
		 s64 us),
	TP_ARGS(provider, stops, us),
	TP_STRUCT__entry(
		__string(provider, pci_name(provider->pdev))
		__field(unsigned int, stops)
		__field(u64, generation)
		__field(s64, us)
	),
	TP_fast_assign(
		__assign_str(provider);
		__entry->stops = stops;
		__entry->generation = provider->generation;
		__entry->us = us;
	),
	TP_printk("provider=%s cause=%s generation=%llu us=%lld",
		  __get_str(provider), show_stops(__entry->stops),
		  __entry->generation, __entry->us)
);

DEFINE_EVENT(peerbuf_provider, peerbuf_stop,
	TP_PROTO(const struct peerbuf_provider *provider, unsigned int stops,
		 s64 us),
	TP_ARGS(provider, stops, us));
DEFINE_EVENT(peerbuf_provider, peerbuf_start,
	TP_PROTO(const struct peerbuf_provider *provider, unsigned int stops,
		 s64 us),
	TP_ARGS(provider, stops, us));

/* One for each extent of a buffer that is mapped, before its peerbuf_map. */
TRACE_EVENT(peerbuf_address,
	TP_PROTO(const struct peerbuf_buffer *buffer, struct device *importer,
		 phys_addr_t phys, dma_addr_t address, size_t length),
	TP_ARGS(buffer, importer, phys, address, length),
	TP_STRUCT__entry(
		__string(provider, pci_name(buffer->provider->pdev))
		__string(importer, dev_name(importer))
		__field(u64, id)
		__field(u64, phys)
		__field(u64, address)
		__field(u64, length)
	),
	TP_fast_assign(
		__assign_str(provider);
		__assign_str(importer);
		__entry->id = buffer->id;
		__entry->phys = phys;
		__entry->address = address;
		__entry->length = length;
	),
	TP_printk("provider=%s buffer=%llu importer=%s phys=%#llx address=%#llx length=%llu",
		  __get_str(provider), __entry->id, __get_str(importer),
		  __entry->phys, __entry->address, __entry->length)
);

/* What a window's memory is cleared of, before somebody new gets it. */
TRACE_EVENT(peerbuf_clear,
	TP_PROTO(const struct peerbuf_window *window, u64 offset, u64 length),
	TP_ARGS(window, offset, length),
	TP_STRUCT__entry(
		__string(provider, pci_name(window->provider->pdev))
		__field(u32, window)
		__field(u64, offset)
		__field(u64, length)
	),
	TP_fast_assign(
		__assign_str(provider);
		__entry->window = window->index;
		__entry->offset = offset;
		__entry->length = length;
	),
	TP_printk("provider=%s window=%u offset=%#llx length=%llu",
		  __get_str(provider), __entry->window, __entry->offset,
		  __entry->length)
);

/* The event's own pid and comm say whose address space. */
TRACE_EVENT(peerbuf_mmap,
	TP_PROTO(const struct peerbuf_buffer *buffer,
		 const struct vm_area_struct *vma),
	TP_ARGS(buffer, vma),
	TP_STRUCT__entry(
		__string(provider, pci_name(buffer->provider->pdev))
		__field(u64, id)
		__field(u64, offset)
		__field(u64, length)
		__field(bool, write)
	),
	TP_fast_assign(
		__assign_str(provider);
		__entry->id = buffer->id;
		__entry->offset = (u64)vma->vm_pgoff << PAGE_SHIFT;
		__entry->length = vma->vm_end - vma->vm_start;
		__entry->write = vma->vm_flags & VM_WRITE;
	),
	TP_printk("provider=%s buffer=%llu offset=%#llx length=%llu write=%d",
		  __get_str(provider), __entry->id, __entry->offset,
		  __entry->length, __entry->write)
);

TRACE_EVENT(peerbuf_fault,
	TP_PROTO(const struct peerbuf_buffer *buffer, unsigned long page,
		 vm_fault_t result),
	TP_ARGS(buffer, page, result),
	TP_STRUCT__entry(
		__string(provider, pci_name(buffer->provider->pdev))
		__field(u64, id)
		__field(u64, offset)
		__field(bool, refused)
	),
	TP_fast_assign(
		__assign_str(provider);
		__entry->id = buffer->id;
		__entry->offset = (u64)page << PAGE_SHIFT;
		__entry->refused = (__force unsigned int)(result &
							  VM_FAULT_SIGBUS);
	),
	TP_printk("provider=%s buffer=%llu offset=%#llx refused=%d",
		  __get_str(provider), __entry->id, __entry->offset,
		  __entry->refused)
);

#endif /* _PEERBUF_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
