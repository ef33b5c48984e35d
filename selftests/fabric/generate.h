/* SPDX-License-Identifier: GPL-2.0-only */
/* Random fabrics: a tree from a seed, as a description, and smaller. */
#ifndef _GENERATE_H
#define _GENERATE_H

#include <stdbool.h>
#include <stddef.h>

#include <linux/types.h>

/**
 * enum gen_kind - statements of a description
 * @GEN_BRIDGE: bridge
 * @GEN_PORT: port
 * @GEN_SWITCH: switch
 * @GEN_EP: ep
 */
enum gen_kind {
	GEN_BRIDGE,
	GEN_PORT,
	GEN_SWITCH,
	GEN_EP,
};

/**
 * struct gen_node - a line of a description
 * @kind: statement
 * @depth: indentation; what follows with a larger one is below
 * @removed: by shrinking, with all that is below
 * @words: attributes
 */
struct gen_node {
	enum gen_kind kind;
	unsigned int depth;
	bool removed;
	char words[96];
};

/**
 * struct gen_fabric - a tree, in the order of its description
 * @nodes: the lines
 * @nr: of them
 * @room: allocated
 * @state: of the random numbers
 * @domains: used
 */
struct gen_fabric {
	struct gen_node *nodes;
	unsigned int nr;
	unsigned int room;
	__u64 state;
	unsigned int domains;
};

void gen_random(struct gen_fabric *gen, unsigned long long seed,
		unsigned int functions);
void gen_uniform(struct gen_fabric *gen, unsigned int functions);
char *gen_text(const struct gen_fabric *gen);
bool gen_remove(struct gen_fabric *gen, unsigned int node);
void gen_restore(struct gen_fabric *gen, unsigned int node);
void gen_free(struct gen_fabric *gen);

#endif /* _GENERATE_H */
