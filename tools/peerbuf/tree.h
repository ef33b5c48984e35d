/* SPDX-License-Identifier: MIT */
/* The part of the PCI tree that a picture shows, a line for each of its nodes. */
#ifndef PEERBUF_TREE_H
#define PEERBUF_TREE_H

#include "routes.h"

enum node_kind { NODE_ROOT, NODE_DOMAIN, NODE_HOST, NODE_FUNCTION };

/* What of a matrix a node has to do with. */
enum {
	NODE_PROVIDER = 1 << 0,
	NODE_IMPORTER = 1 << 1,
	NODE_BLOCKS = 1 << 2,	/* there is no route because of it */
	NODE_REDIRECTS = 1 << 3,	/* the route is longer because of it */
	NODE_BUS = 1 << 4,	/* bus routes use the link above it */
	NODE_HOSTED = 1 << 5,	/* host routes do */
	NODE_FORWARDS = 1 << 6,	/* host routes cross this host bridge */
	NODE_UNTRUSTED = 1 << 7,	/* it would have to, and is not trusted */
	NODE_ADMIN = 1 << 8,	/* it does on the administrator's word */
	NODE_MASKED = 1 << 9,	/* its DMA mask is too small */
	NODE_IOMMU = 1 << 10,	/* an IOMMU translates its DMA */
};

/**
 * struct node - one line of the picture
 * @kind: what it is
 * @index: of the function or host bridge; the number of a domain
 * @depth: how far from the root complex
 * @parent: index of the node that its link goes to; NOWHERE for none
 * @marks: NODE_PROVIDER and others
 * @column: of the matrix, NOWHERE for none: as an importer
 */
struct node {
	enum node_kind kind;
	__u32 index;
	int depth;
	int parent;
	unsigned int marks;
	int column;
};

struct tree {
	struct node *nodes;
	int nr;
};

/**
 * struct line - what is said of a node
 * @text: in its box
 * @note: behind it
 */
struct line {
	char text[160];
	char note[96];
};

void describe_node(const struct matrix *matrix, const struct node *node, struct line *line);
int make_tree(const struct matrix *matrix, struct tree *tree);

#endif /* PEERBUF_TREE_H */
