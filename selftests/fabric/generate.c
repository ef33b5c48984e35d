// SPDX-License-Identifier: GPL-2.0-only
/* Random fabrics: the same seed gives the same description, everywhere. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fabric.h"
#include "generate.h"

#define FIRST_DOMAIN	0x8000
#define MAX_DEPTH	8

/* Host bridges that are trusted; within themselves; not at all */
static const char * const bridge_ids[] = {
	"8086:2020", "8086:09a2", "1ae0:0001", "8086:2f00", "8086:3c00",
	"8086:29c0", "1022:1480", "8086:9b64",
};

static const char * const port_ids[] = {
	"8086:2030", "8086:2033", "8086:347a", "1b36:000c", "1022:1483",
};

static const char * const acs_names[] = {
	"sv", "tb", "rr", "cr", "uf", "ec", "dt",
};

static unsigned int below(struct gen_fabric *gen, unsigned int limit)
{
	return pb_random_below(&gen->state, limit);
}

static bool one_in(struct gen_fabric *gen, unsigned int n)
{
	return below(gen, n) == 0;
}

static struct gen_node *add_node(struct gen_fabric *gen, enum gen_kind kind,
				 unsigned int depth)
{
	struct gen_node *node;

	if (gen->nr == gen->room) {
		gen->room = gen->room ? 2 * gen->room : 64;
		gen->nodes = realloc(gen->nodes,
				     gen->room * sizeof(*gen->nodes));
		if (!gen->nodes)
			fail("out of memory");
	}
	node = &gen->nodes[gen->nr++];
	memset(node, 0, sizeof(*node));
	node->kind = kind;
	node->depth = depth;
	return node;
}

static void __printf(2, 3) add_words(struct gen_node *node,
				     const char *format, ...)
{
	size_t used = strlen(node->words);
	va_list args;

	va_start(args, format);
	vsnprintf(node->words + used, sizeof(node->words) - used, format, args);
	va_end(args);
}

static void add_bits(struct gen_node *node, unsigned int bits)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(acs_names); i++) {
		if (bits & 1U << i)
			add_words(node, " %s", acs_names[i]);
	}
}

/* A third has no capability, a third has all and redirects nothing. */
static void add_acs(struct gen_fabric *gen, struct gen_node *node)
{
	unsigned int cap = 0x1f | below(gen, 0x80);

	switch (below(gen, 3)) {
	case 0:
		return;
	case 1:
		add_words(node, " acs sv rr cr uf control");
		return;
	}
	add_words(node, " acs");
	add_bits(node, cap);
	add_words(node, " control");
	add_bits(node, cap & below(gen, 0x80) & below(gen, 0x80));
}

static void add_endpoint(struct gen_fabric *gen, unsigned int depth)
{
	struct gen_node *node = add_node(gen, GEN_EP, depth);

	if (!one_in(gen, 8))
		add_words(node, " bar%u 1M prefetch", 2 * below(gen, 3));
	if (one_in(gen, 4))
		add_words(node, " fn 0-%u", 1 + below(gen, 3));
	if (one_in(gen, 6))
		add_words(node, " mask %u", 30 + below(gen, 12));
	if (one_in(gen, 4))
		add_acs(gen, node);
}

static void add_below_port(struct gen_fabric *gen, unsigned int depth);

static void add_switch(struct gen_fabric *gen, unsigned int depth)
{
	unsigned int ports = 1 + below(gen, 4);
	struct gen_node *port;

	add_acs(gen, add_node(gen, GEN_SWITCH, depth));
	while (ports--) {
		port = add_node(gen, GEN_PORT, depth + 1);
		add_acs(gen, port);
		add_below_port(gen, depth + 2);
	}
}

static void add_below_port(struct gen_fabric *gen, unsigned int depth)
{
	if (depth < MAX_DEPTH && one_in(gen, 3))
		add_switch(gen, depth);
	else if (!one_in(gen, 8))
		add_endpoint(gen, depth);
}

static void add_root_port(struct gen_fabric *gen)
{
	struct gen_node *port = add_node(gen, GEN_PORT, 1);

	add_words(port, " id %s", port_ids[below(gen, ARRAY_SIZE(port_ids))]);
	add_acs(gen, port);
	add_below_port(gen, 2);
}

static void add_bridge(struct gen_fabric *gen)
{
	struct gen_node *bridge = add_node(gen, GEN_BRIDGE, 0);
	unsigned int ports = 1 + below(gen, 3);

	if (!gen->domains || one_in(gen, 3))
		gen->domains++;
	add_words(bridge, " %x", FIRST_DOMAIN + gen->domains);
	if (one_in(gen, 2))
		add_words(bridge, " id %s",
			  bridge_ids[below(gen, ARRAY_SIZE(bridge_ids))]);
	add_words(bridge, " window any 256M");
	if (one_in(gen, 2))
		add_words(bridge, " bus %#x",
			  (1 + below(gen, 0xd)) * 0x10000000U);
	if (one_in(gen, 4))
		add_endpoint(gen, 1);
	while (ports--)
		add_root_port(gen);
}

/**
 * gen_random() - a fabric of all shapes
 * @gen: filled in
 * @seed: what it depends on
 * @functions: bridges are added until there are so many lines
 */
void gen_random(struct gen_fabric *gen, unsigned long long seed,
		unsigned int functions)
{
	memset(gen, 0, sizeof(*gen));
	gen->state = seed;
	do {
		add_bridge(gen);
	} while (gen->nr < functions);
}

/**
 * gen_uniform() - the same host bridge again and again: six root ports, with a
 * switch below each, with four endpoints below each
 * @gen: filled in
 * @functions: all of them, ports included; a multiple of 64, which is what a host
 *	bridge has. A domain has two.
 */
void gen_uniform(struct gen_fabric *gen, unsigned int functions)
{
	unsigned int i, port, ep;

	memset(gen, 0, sizeof(*gen));
	for (i = 0; i < functions / 64; i++) {
		add_words(add_node(gen, GEN_BRIDGE, 0),
			  " %x id 8086:2020 window any 256M",
			  FIRST_DOMAIN + 1 + i / 2);
		for (port = 0; port < 6; port++) {
			add_node(gen, GEN_PORT, 1);
			add_node(gen, GEN_SWITCH, 2);
			for (ep = 0; ep < 4; ep++) {
				add_node(gen, GEN_PORT, 3);
				add_words(add_node(gen, GEN_EP, 4),
					  " bar0 1M prefetch");
			}
		}
		/* 1 + 6 * 10 = 61, and three on the root bus */
		for (ep = 0; ep < 3; ep++)
			add_words(add_node(gen, GEN_EP, 1), " bar0 1M prefetch");
	}
}

/**
 * gen_text() - the description
 * @gen: the fabric
 *
 * Return: text to free().
 */
char *gen_text(const struct gen_fabric *gen)
{
	static const char * const names[] = {
		"bridge", "port", "switch", "ep",
	};
	const struct gen_node *node;
	FILE *stream;
	size_t size;
	char *text;
	unsigned int i;

	stream = open_memstream(&text, &size);
	if (!stream)
		fail("out of memory");
	for (i = 0; i < gen->nr; i++) {
		node = &gen->nodes[i];
		if (!node->removed)
			fprintf(stream, "%*s%s%s\n", (int)node->depth, "",
				names[node->kind], node->words);
	}
	fprintf(stream, "end\n");
	fclose(stream);
	return text;
}

/**
 * gen_remove() - take a line away, with all that is below
 * @gen: the fabric
 * @node: number of the line
 *
 * Return: false if it was gone already, or is all that there is.
 */
bool gen_remove(struct gen_fabric *gen, unsigned int node)
{
	unsigned int depth = gen->nodes[node].depth, left = 0, i;

	if (gen->nodes[node].removed)
		return false;
	for (i = 0; i < gen->nr; i++)
		left += !gen->nodes[i].removed &&
			gen->nodes[i].kind == GEN_BRIDGE && i != node;
	if (!left)
		return false;
	gen->nodes[node].removed = true;
	for (i = node + 1; i < gen->nr && gen->nodes[i].depth > depth; i++)
		gen->nodes[i].removed = true;
	return true;
}

/** gen_restore() - undo the last gen_remove(), of @node. */
void gen_restore(struct gen_fabric *gen, unsigned int node)
{
	unsigned int depth = gen->nodes[node].depth, i;

	gen->nodes[node].removed = false;
	for (i = node + 1; i < gen->nr && gen->nodes[i].depth > depth; i++)
		gen->nodes[i].removed = false;
}

/** gen_free() - free what @gen holds. */
void gen_free(struct gen_fabric *gen)
{
	free(gen->nodes);
	memset(gen, 0, sizeof(*gen));
}
