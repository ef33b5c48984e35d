/* SPDX-License-Identifier: MIT */
/* A picture of the PCI functions of the demo, and of what is above them. */
#ifndef DEMO_TREE_H
#define DEMO_TREE_H

#include <stdbool.h>
#include <libpeerbuf.h>

#define MAX_NODES 64

/**
 * struct tree - host bridges, and all that hangs below them on the way
 * @nodes: a parent comes before its children
 * @count: how many
 */
struct tree {
	struct node {
		char name[24];		/* "pci0000:00", "0000:02:00.0" */
		char label[64];
		int parent;		/* -1: none */
		bool on_way;		/* data passes here */
	} nodes[MAX_NODES];
	int count;
};

int tree_add(struct tree *tree, const struct peerbuf_function *function,
	     const char *label);
void tree_mark_way(struct tree *tree, int a, int b, bool across_host);
void tree_print(const struct tree *tree, const char *indent);

#endif /* DEMO_TREE_H */
