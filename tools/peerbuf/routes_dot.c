// SPDX-License-Identifier: MIT
/* peerbuf routes --dot: the tree, and an arrow from each importer to what it reaches. */
#include <stdio.h>
#include <stdlib.h>

#include "tree.h"

static void print_host(const struct machine *machine, const struct node *node)
{
	const struct host_bridge *host = &machine->hosts[node->index];

	printf("host bridge\\n%04x:%02x", host->domain, host->bus);
	if (host->function != NOWHERE)
		printf("\\n%04x:%04x", machine->functions[host->function].vendor,
		       machine->functions[host->function].device);
}

static void print_function(const struct pci_function *f)
{
	char acs[PEERBUF_ACS_LEN];

	printf("%s\\n%s %04x:%04x", name_of(&f->address).text,
	       f->bridge && f->type != TYPE_UNKNOWN ? peerbuf_port_type_name(f->type) :
						      class_word(f), f->vendor, f->device);
	peerbuf_format_acs(f->acs_ctrl, acs, sizeof(acs));
	if (*acs)
		printf("\\nACS %s", acs);
}

static void print_node(const struct machine *machine, const struct node *node, int i)
{
	printf("  n%d [label=\"", i);
	if (node->kind == NODE_ROOT)
		printf("root complex");
	else if (node->kind == NODE_HOST)
		print_host(machine, node);
	else
		print_function(&machine->functions[node->index]);
	printf("\"%s", node->marks & NODE_PROVIDER ? ", style=\"rounded,bold\"" : "");
	if (node->marks & (NODE_BLOCKS | NODE_REDIRECTS))
		printf(", color=\"%s\", penwidth=2",
		       node->marks & NODE_BLOCKS ? "#cf222e" : "#b87500");
	printf("];\n");
	if (node->parent != NOWHERE)
		printf("  n%d -> n%d [dir=none, color=\"#818b98\"];\n", node->parent, i);
}

static int find_node(const struct tree *tree, int function)
{
	int i;

	for (i = 0; i < tree->nr; i++) {
		if (tree->nodes[i].kind == NODE_FUNCTION &&
		    tree->nodes[i].index == (__u32)function)
			break;
	}
	return i;
}

static void print_route(const struct matrix *matrix, const struct tree *tree, int row,
			int column)
{
	const struct peerbuf_verdict *verdict = &answer_at(matrix, row, column)->verdict;

	if (verdict->route == PEERBUF_ROUTE_NONE ||
	    verdict->reason == PEERBUF_REASON_SAME_FUNCTION)
		return;
	printf("  n%d -> n%d [constraint=false, color=\"%s\", tooltip=\"%s\"];\n",
	       find_node(tree, matrix->importers.functions[column]),
	       find_node(tree, matrix->providers.functions[row]),
	       verdict->route == PEERBUF_ROUTE_BUS ? "#1a7f37" : "#b87500",
	       peerbuf_reason_name(verdict->reason));
}

int print_dot(const struct matrix *matrix)
{
	struct tree tree;
	int i, j;

	if (make_tree(matrix, &tree)) {
		free(tree.nodes);
		return report("out of memory");
	}
	printf("digraph peerbuf {\n  rankdir=LR;\n"
	       "  label=\"importers to providers: green bus, amber host; red blocks\";\n"
	       "  node [shape=box, style=rounded, fontname=monospace, fontsize=10];\n");
	for (i = 0; i < tree.nr; i++) {
		if (tree.nodes[i].kind != NODE_DOMAIN)
			print_node(matrix->machine, &tree.nodes[i], i);
	}
	for (i = 0; i < matrix->providers.nr; i++) {
		for (j = 0; j < matrix->importers.nr; j++)
			print_route(matrix, &tree, i, j);
	}
	printf("}\n");
	free(tree.nodes);
	return EXIT_OK;
}
