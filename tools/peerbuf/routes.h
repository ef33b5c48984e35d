/* SPDX-License-Identifier: MIT */
/* The matrix of "peerbuf routes", and the ways to show it. */
#ifndef PEERBUF_ROUTES_H
#define PEERBUF_ROUTES_H

#include "machine.h"

/**
 * struct matrix - who reaches whose memory
 * @machine: of which
 * @providers: whose memory
 * @importers: who does the DMA
 * @answers: a row for each provider, in it one for each importer
 */
struct matrix {
	const struct machine *machine;
	struct selection providers;
	struct selection importers;
	struct answer *answers;
};

/**
 * struct cause - what decides a number of pairs alike
 * @verdict: of one of them: the others have its route, reason and blocker
 * @pairs: how many they are
 */
struct cause {
	struct peerbuf_verdict verdict;
	int pairs;
};

static inline const struct answer *answer_at(const struct matrix *matrix, int row, int column)
{
	return &matrix->answers[(size_t)row * (size_t)matrix->importers.nr + (size_t)column];
}

/* 'B', 'H', '-' or '=', the function itself */
char route_letter(const struct peerbuf_verdict *verdict);
int find_causes(const struct matrix *matrix, struct cause **causes);

int print_table(const struct matrix *matrix);
int print_routes_json(const struct matrix *matrix);
int print_dot(const struct matrix *matrix);
int print_svg(const struct matrix *matrix);

#endif /* PEERBUF_ROUTES_H */
