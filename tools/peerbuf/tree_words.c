// SPDX-License-Identifier: MIT
/* What a picture says in and behind the boxes of its tree. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tree.h"

__printf(2, 3) static void append(char (*note)[96], const char *format, ...)
{
	size_t length = strlen(*note);
	va_list args;

	va_start(args, format);
	vsnprintf(*note + length, sizeof(*note) - length, format, args);
	va_end(args);
}

static void describe_acs(const struct pci_function *f, const struct node *node,
			 struct line *line)
{
	char acs[PEERBUF_ACS_LEN];

	peerbuf_format_acs(f->acs_ctrl, acs, sizeof(acs));
	if (!f->acs_known && f->bridge)
		append(&line->note, "ACS not known");
	else if (f->acs)
		append(&line->note, "ACS %s", *acs ? acs : "off");
	if (node->marks & NODE_BLOCKS)
		append(&line->note, "%sblocks", *line->note ? ": " : "");
	else if (node->marks & NODE_REDIRECTS)
		append(&line->note, "%sredirects to the host bridge", *line->note ? ": " : "");
}

static void describe_importer(const struct matrix *matrix, const struct node *node,
			      struct line *line)
{
	const char *comma = *line->note ? ", " : "";
	int row;

	if (node->marks & NODE_IOMMU)
		append(&line->note, "%sbehind an IOMMU", comma);
	for (row = 0; node->marks & NODE_MASKED && row < matrix->providers.nr; row++) {
		const struct peerbuf_verdict *verdict =
			&answer_at(matrix, row, node->column)->verdict;

		if (verdict->reason != PEERBUF_REASON_DMA_MASK)
			continue;
		append(&line->note, "%sDMA mask 0x%llx: too small", *line->note ? ", " : "",
		       (unsigned long long)verdict->dma_mask);
		break;
	}
}

static void describe_function(const struct matrix *matrix, const struct node *node,
			      struct line *line)
{
	const struct pci_function *f = &matrix->machine->functions[node->index];
	const char *what = peerbuf_port_type_name(f->type);

	if (!f->bridge)
		what = class_word(f);
	else if (f->type == TYPE_UNKNOWN)
		what = "bridge";
	snprintf(line->text, sizeof(line->text), "%s %s %04x:%04x%s%.40s%s",
		 name_of(&f->address).text, what, f->vendor, f->device,
		 *f->label && !f->bridge ? " " : "", f->bridge ? "" : f->label,
		 !f->bridge && strlen(f->label) > 40 ? "..." : "");
	describe_acs(f, node, line);
	if (node->marks & NODE_IMPORTER)
		describe_importer(matrix, node, line);
}

static void describe_forwarding(const struct node *node, const struct pci_function *f,
				struct line *line)
{
	bool listed = f && engine_lists(f, false);
	bool within = f && engine_lists(f, true) && !listed;

	if (node->marks & NODE_BLOCKS)
		append(&line->note, "%s: blocks", within ? "forwards only within itself" :
							     "not trusted to forward");
	else if (node->marks & NODE_UNTRUSTED)
		append(&line->note, "not trusted to forward");
	else if (node->marks & NODE_ADMIN && !listed)
		append(&line->note, "trusted to forward by the administrator");
	else if (node->marks & NODE_FORWARDS)
		append(&line->note, "trusted to forward");
}

/* How it moves the addresses of the first provider below it. */
static void describe_offset(const struct matrix *matrix, const struct node *node,
			    struct line *line)
{
	long long offset;
	int row;

	for (row = 0; row < matrix->providers.nr && matrix->importers.nr; row++) {
		offset = answer_at(matrix, row, 0)->verdict.bus_offset;
		if (matrix->machine->functions[matrix->providers.functions[row]].host !=
		    (int)node->index || !offset)
			continue;
		append(&line->note, "%sbus = CPU %c 0x%llx", *line->note ? "; " : "",
		       offset < 0 ? '-' : '+', offset < 0 ? -(unsigned long long)offset :
							    (unsigned long long)offset);
		return;
	}
}

static void describe_host(const struct matrix *matrix, const struct node *node,
			  struct line *line)
{
	const struct machine *machine = matrix->machine;
	const struct host_bridge *host = &machine->hosts[node->index];
	const struct pci_function *f = NULL;
	struct peerbuf_function parent;

	snprintf(line->text, sizeof(line->text), "host bridge of bus %02x", host->bus);
	if (host->function != NOWHERE) {
		f = &machine->functions[host->function];
		snprintf(line->text, sizeof(line->text), "host bridge of bus %02x %04x:%04x",
			 host->bus, f->vendor, f->device);
	}
	describe_forwarding(node, f, line);
	describe_offset(matrix, node, line);
	if (machine->control >= 0 && !root_bus_parent(host->domain, host->bus, &parent))
		append(&line->note, "%sa child of %s", *line->note ? "; " : "",
		       name_of(&parent).text);
}

/**
 * describe_node() - what a picture says of a node
 * @matrix: whose picture
 * @node: of its tree
 * @line: filled in
 */
void describe_node(const struct matrix *matrix, const struct node *node, struct line *line)
{
	memset(line, 0, sizeof(*line));

	switch (node->kind) {
	case NODE_ROOT:
		snprintf(line->text, sizeof(line->text), "root complex: CPU and memory");
		break;
	case NODE_DOMAIN:
		snprintf(line->text, sizeof(line->text), "domain %04x", node->index);
		break;
	case NODE_HOST:
		describe_host(matrix, node, line);
		break;
	case NODE_FUNCTION:
		describe_function(matrix, node, line);
		break;
	}
}
