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

int make_tree(const struct matrix *matrix, struct tree *tree);

#endif /* PEERBUF_TREE_H */
