/* SPDX-License-Identifier: MIT */
/* What "peerbuf why" finds out about a pair, before it is written down. */
#ifndef PEERBUF_WHY_H
#define PEERBUF_WHY_H

#include "machine.h"

#define MAX_REMEDIES 12

enum hop_role { HOP_PROVIDER, HOP_UP, HOP_TURN, HOP_HOST, HOP_DOWN, HOP_IMPORTER };

/**
 * struct hop - one port on the way
 * @role: what happens there
 * @function: index; for HOP_HOST that of who stands for the bridge, or NOWHERE
 * @host: index of the host bridge
 * @redirects: its ACS control is why the way goes to the host bridge
 */
struct hop {
	enum hop_role role;
	int function;
	int host;
	bool redirects;
};

/**
 * struct remedy - what would help
 * @kind: in one word
 * @title: what to do
 * @command: what to write where the title says, or NULL
 * @price: what it costs
 * @checked: routing was asked what it would say then
 * @then: and said this
 */
struct remedy {
	const char *kind;
	char *title;
	char *command;
	const char *price;
	bool checked;
	struct peerbuf_verdict then;
};

/**
 * struct finding - all about a pair
 * @machine: of which
 * @provider: index
 * @importer: index
 * @answer: what routing says
 * @hops: the way from the provider up, and down to the importer
 * @nr_hops: how many
 * @remedies: what would help
 * @nr_remedies: how many
 */
struct finding {
	const struct machine *machine;
	int provider;
	int importer;
	struct answer answer;
	struct hop hops[2 * PEERBUF_MAX_PORTS + 2];
	int nr_hops;
	struct remedy remedies[MAX_REMEDIES];
	int nr_remedies;
};

/* path.c */
void find_hops(struct finding *finding);
const char *hop_role_name(enum hop_role role);

/* remedy.c */
int find_remedies(struct finding *finding);
void free_remedies(struct finding *finding);

/* why_json.c */
void print_why_json(const struct finding *finding);

#endif /* PEERBUF_WHY_H */
