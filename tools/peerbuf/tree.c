// SPDX-License-Identifier: MIT
/*
 * The part of the PCI tree that a picture shows: all that is above the functions
 * of a matrix, in the order of a walk, with what the routes do to it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tree.h"

/**
 * struct planter - a tree while it is made
 * @matrix: of which
 * @tree: what has come of it
 * @needed: for each function, whether it is shown
 * @node_of: for each function, its node
 * @host_node: for each host bridge, its node
 */
struct planter {
	const struct matrix *matrix;
	struct tree *tree;
	bool *needed;
	int *node_of;
	int *host_node;
};

static int add_node(struct planter *planter, enum node_kind kind, __u32 index, int depth,
		    int parent)
{
	planter->tree->nodes[planter->tree->nr] = (struct node) {
		.kind = kind,
		.index = index,
		.depth = depth,
		.parent = parent,
		.column = NOWHERE,
	};
	return planter->tree->nr++;
}

static void need(struct planter *planter, const struct selection *selection)
{
	int i, f;

	for (i = 0; i < selection->nr; i++) {
		for (f = selection->functions[i]; f != NOWHERE && !planter->needed[f];
		     f = planter->matrix->machine->functions[f].parent)
			planter->needed[f] = true;
	}
}

/* Functions come in the order of their addresses, so no parent after its child. */
static void add_below(struct planter *planter, int host, int parent, int node, int depth)
{
	const struct machine *machine = planter->matrix->machine;
	int i;

	for (i = parent + 1; i < machine->nr; i++) {
		if (!planter->needed[i] || machine->functions[i].parent != parent ||
		    machine->functions[i].host != host)
			continue;
		planter->node_of[i] = add_node(planter, NODE_FUNCTION, (__u32)i, depth, node);
		add_below(planter, host, i, planter->node_of[i], depth + 1);
	}
}

static bool host_needed(const struct planter *planter, int host)
{
	int i;

	for (i = 0; i < planter->matrix->machine->nr; i++) {
		if (planter->needed[i] && planter->matrix->machine->functions[i].host == host)
			return true;
	}
	return false;
}

static void add_hosts(struct planter *planter)
{
	const struct machine *machine = planter->matrix->machine;
	int i, last = NOWHERE, root;

	root = add_node(planter, NODE_ROOT, 0, 0, NOWHERE);
	for (i = 0; i < machine->nr_hosts; i++) {
		if (!host_needed(planter, i))
			continue;
		if (last == NOWHERE || machine->hosts[last].domain != machine->hosts[i].domain)
			add_node(planter, NODE_DOMAIN, machine->hosts[i].domain, 0, NOWHERE);
		last = i;
		planter->host_node[i] = add_node(planter, NODE_HOST, (__u32)i, 1, root);
		add_below(planter, i, NOWHERE, planter->host_node[i], 2);
	}
}

/* Colour the links from a node up to, not including, another one. */
static void mark_links(struct planter *planter, int node, int top, unsigned int mark)
{
	for (; node != NOWHERE && node != top; node = planter->tree->nodes[node].parent)
		planter->tree->nodes[node].marks |= mark;
}

/* Host routes within one bridge do not come to the link above it. */
static int mark_hosts(struct planter *planter, int provider, int importer,
		      const struct peerbuf_verdict *verdict)
{
	const struct machine *machine = planter->matrix->machine;
	int a = planter->host_node[machine->functions[provider].host];
	int b = planter->host_node[machine->functions[importer].host];
	unsigned int marks = NODE_FORWARDS;

	if (verdict->flags & PEERBUF_VERDICT_ADMIN)
		marks |= NODE_ADMIN;
	planter->tree->nodes[a].marks |= marks;
	planter->tree->nodes[b].marks |= marks;
	return a == b ? a : NOWHERE;
}

static void mark_route(struct planter *planter, int provider, int importer,
		       const struct peerbuf_verdict *verdict)
{
	int common = machine_common(planter->matrix->machine, provider, importer);
	int top = common == NOWHERE ? NOWHERE : planter->node_of[common];
	unsigned int mark = NODE_BUS;

	if (verdict->route == PEERBUF_ROUTE_HOST) {
		mark = NODE_HOSTED;
		top = mark_hosts(planter, provider, importer, verdict);
	}
	mark_links(planter, planter->node_of[provider], top, mark);
	mark_links(planter, planter->node_of[importer], top, mark);
}

static void mark_importer(struct planter *planter, int importer,
			  const struct peerbuf_verdict *verdict)
{
	struct node *node = &planter->tree->nodes[planter->node_of[importer]];

	if (verdict->flags & PEERBUF_VERDICT_IOMMU)
		node->marks |= NODE_IOMMU;
	if (verdict->reason == PEERBUF_REASON_DMA_MASK)
		node->marks |= NODE_MASKED;
}

/* A function that stands for a host bridge is shown as the bridge. */
static void mark_blocker(struct planter *planter, const struct peerbuf_verdict *verdict)
{
	const struct machine *machine = planter->matrix->machine;
	unsigned int mark = verdict->route == PEERBUF_ROUTE_NONE ? NODE_BLOCKS :
								    NODE_REDIRECTS;
	int f, node;

	if (!(verdict->flags & PEERBUF_VERDICT_BLOCKER))
		return;
	f = machine_find(machine, &verdict->blocker);
	if (f == NOWHERE)
		return;
	if (verdict->route == PEERBUF_ROUTE_NONE)
		planter->tree->nodes[planter->host_node[machine->functions[f].host]].marks |=
			NODE_UNTRUSTED;
	node = verdict->reason == PEERBUF_REASON_HOST_UNTRUSTED ?
	       planter->host_node[machine->functions[f].host] : planter->node_of[f];
	if (node != NOWHERE)
		planter->tree->nodes[node].marks |= mark;
}

static void mark_pair(struct planter *planter, int provider, int importer,
		      const struct peerbuf_verdict *verdict)
{
	mark_blocker(planter, verdict);
	mark_importer(planter, importer, verdict);
	if (verdict->route != PEERBUF_ROUTE_NONE)
		mark_route(planter, provider, importer, verdict);
}

static void mark_pairs(struct planter *planter)
{
	const struct matrix *matrix = planter->matrix;
	int row, column;

	for (row = 0; row < matrix->providers.nr; row++) {
		for (column = 0; column < matrix->importers.nr; column++)
			mark_pair(planter, matrix->providers.functions[row],
				  matrix->importers.functions[column],
				  &answer_at(matrix, row, column)->verdict);
	}
}

static void mark_roles(struct planter *planter)
{
	const struct matrix *matrix = planter->matrix;
	struct node *node;
	int i;

	for (i = 0; i < matrix->providers.nr; i++) {
		node = &planter->tree->nodes[planter->node_of[matrix->providers.functions[i]]];
		node->marks |= NODE_PROVIDER;
	}
	for (i = 0; i < matrix->importers.nr; i++) {
		node = &planter->tree->nodes[planter->node_of[matrix->importers.functions[i]]];
		node->marks |= NODE_IMPORTER;
		node->column = i;
	}
}

/**
 * make_tree() - the tree of a matrix
 * @matrix: which
 * @tree: filled in; the caller frees its nodes
 *
 * Return: 0 or -ENOMEM.
 */
int make_tree(const struct matrix *matrix, struct tree *tree)
{
	const struct machine *machine = matrix->machine;
	size_t nr = (size_t)machine->nr, hosts = (size_t)machine->nr_hosts;
	struct planter planter = {
		.matrix = matrix,
		.tree = tree,
		.needed = calloc(nr + 1, sizeof(bool)),
		.node_of = calloc(nr + 1, sizeof(int)),
		.host_node = calloc(hosts + 1, sizeof(int)),
	};
	int err = -ENOMEM;

	tree->nr = 0;
	tree->nodes = calloc(nr + 2 * hosts + 1, sizeof(*tree->nodes));
	if (planter.needed && planter.node_of && planter.host_node && tree->nodes) {
		memset(planter.node_of, 0xff, nr * sizeof(int));
		memset(planter.host_node, 0xff, hosts * sizeof(int));
		need(&planter, &matrix->providers);
		need(&planter, &matrix->importers);
		add_hosts(&planter);
		mark_roles(&planter);
		mark_pairs(&planter);
		err = 0;
	}
	free(planter.needed);
	free(planter.node_of);
	free(planter.host_node);
	return err;
}
