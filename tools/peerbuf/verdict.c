// SPDX-License-Identifier: MIT
/* Verdicts in words, and for programs. */
#include <stdio.h>
#include <string.h>

#include "machine.h"

const char *address_kind(const struct peerbuf_verdict *verdict)
{
	switch (verdict->route) {
	case PEERBUF_ROUTE_BUS:
		return "bus";
	case PEERBUF_ROUTE_HOST:
		return verdict->flags & PEERBUF_VERDICT_IOMMU ? "iova" : "physical";
	default:
		return "none";
	}
}

static void print_offset(FILE *file, long long offset)
{
	unsigned long long size = offset < 0 ? -(unsigned long long)offset :
					       (unsigned long long)offset;

	if (offset)
		fprintf(file, " (CPU physical address %c 0x%llx)", offset < 0 ? '-' : '+', size);
	else
		fprintf(file, " (equal to the CPU physical address)");
}

void print_address(FILE *file, const struct peerbuf_verdict *verdict, bool offset_known)
{
	switch (verdict->route) {
	case PEERBUF_ROUTE_BUS:
		fprintf(file, "PCI bus address");
		if (offset_known)
			print_offset(file, verdict->bus_offset);
		break;
	case PEERBUF_ROUTE_HOST:
		fprintf(file, "%s", verdict->flags & PEERBUF_VERDICT_IOMMU ?
			"IOVA, from the importer's DMA API" : "CPU physical address");
		break;
	default:
		fprintf(file, "none");
	}
}

/* The hint, with the blocker's address and ids in the places of PORT and HOST. */
void print_hint(FILE *file, const struct peerbuf_verdict *verdict)
{
	const char *at = peerbuf_hint(verdict->route, verdict->reason);
	bool known = verdict->flags & PEERBUF_VERDICT_BLOCKER;

	while (*at) {
		if (known && !strncmp(at, "PORT", 4)) {
			fputs(name_of(&verdict->blocker).text, file);
			at += 4;
		} else if (known && !strncmp(at, "HOST", 4)) {
			fprintf(file, "%04x:%04x", verdict->blocker_id >> 16,
				verdict->blocker_id & 0xffff);
			at += 4;
		} else {
			fputc(*at++, file);
		}
	}
}

static void print_json_flags(const struct peerbuf_verdict *verdict)
{
	const char *comma = "";
	__u32 bit;

	printf(", \"flags\": [");
	for (bit = 1; bit && bit <= verdict->flags; bit <<= 1) {
		if (!(verdict->flags & bit))
			continue;
		printf("%s\"%s\"", comma, peerbuf_verdict_flag_name(bit));
		comma = ", ";
	}
	printf("]");
}

/* The members of an object, without its braces; no quote is ever in them. */
void print_json_verdict(const struct peerbuf_verdict *verdict)
{
	char acs[PEERBUF_ACS_LEN];

	printf("\"route\": \"%s\", \"reason\": \"%s\", \"address\": \"%s\"",
	       peerbuf_route_name(verdict->route), peerbuf_reason_name(verdict->reason),
	       address_kind(verdict));
	printf(", \"distance\": %d, \"bus_offset\": %lld, \"dma_mask\": \"0x%llx\"",
	       verdict->distance, (long long)verdict->bus_offset,
	       (unsigned long long)verdict->dma_mask);
	print_json_flags(verdict);
	if (!(verdict->flags & PEERBUF_VERDICT_BLOCKER))
		return;
	peerbuf_format_acs((__u16)verdict->acs, acs, sizeof(acs));
	printf(", \"blocker\": {\"function\": \"%s\"", name_of(&verdict->blocker).text);
	printf(", \"vendor\": \"0x%04x\", \"device\": \"0x%04x\", \"acs\": %u",
	       verdict->blocker_id >> 16, verdict->blocker_id & 0xffff, verdict->acs);
	printf(", \"acs_names\": \"%s\"}", acs);
}
