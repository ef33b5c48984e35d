// SPDX-License-Identifier: MIT
/* peerbuf routes: who reaches whose memory, all at once. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "routes.h"

struct request {
	struct source_options source;
	const char *providers;
	const char *importers;
	bool all;
	int (*print)(const struct matrix *matrix);
};

enum { ALL, PROVIDERS, IMPORTERS, JSON, DOT, SVG, FROM_DUMP, CPU };

static const struct option options[] = {
	{ "all", no_argument, NULL, ALL },
	{ "providers", required_argument, NULL, PROVIDERS },
	{ "importers", required_argument, NULL, IMPORTERS },
	{ "json", no_argument, NULL, JSON },
	{ "dot", no_argument, NULL, DOT },
	{ "svg", no_argument, NULL, SVG },
	{ "from-dump", required_argument, NULL, FROM_DUMP },
	{ "cpu", required_argument, NULL, CPU },
	{ }
};

static int set_print(struct request *request, int (*print)(const struct matrix *matrix))
{
	if (request->print && request->print != print)
		return report_usage(&verb_routes, "--json, --dot and --svg exclude each other");
	request->print = print;
	return 0;
}

static int take_option(struct request *request, int option, char **argv)
{
	switch (option) {
	case ALL:
		request->all = true;
		return 0;
	case PROVIDERS:
		request->providers = optarg;
		return 0;
	case IMPORTERS:
		request->importers = optarg;
		return 0;
	case JSON:
		return set_print(request, print_routes_json);
	case DOT:
		return set_print(request, print_dot);
	case SVG:
		return set_print(request, print_svg);
	case FROM_DUMP:
		request->source.dump = optarg;
		return 0;
	case CPU:
		request->source.cpu = optarg;
		return 0;
	default:
		return report_option(&verb_routes, option, argv);
	}
}

static bool is_provider(const struct pci_function *function)
{
	return function->provider && can_lend(function);
}

static bool anything(const struct pci_function *function)
{
	return can_lend(function) || can_import(function);
}

/* A dump does not say who lends, so there it is everybody who could. */
static int select_providers(struct matrix *matrix, const struct request *request)
{
	bool all = request->all || matrix->machine->control < 0;
	int status;

	if (request->providers)
		return select_listed(matrix->machine, request->providers, &matrix->providers);
	status = select_by(matrix->machine, all ? can_lend : is_provider, &matrix->providers);
	if (status || matrix->providers.nr)
		return status;
	if (all)
		return report("no function has a memory BAR of a page or more");
	report("no function lends its memory; to make one: peerbuf bind FUNCTION");
	return advise("--all asks about all that could");
}

static int select_importers(struct matrix *matrix, const struct request *request)
{
	int status;

	if (request->importers)
		return select_listed(matrix->machine, request->importers, &matrix->importers);
	status = select_by(matrix->machine, request->all ? anything : can_import,
			   &matrix->importers);
	if (status || matrix->importers.nr)
		return status;
	return report("no function can master the bus; name some: --importers LIST");
}

static int ask_row(struct matrix *matrix, int row, struct answer *answers)
{
	int provider = matrix->providers.functions[row];
	int err = machine_ask_all(matrix->machine, provider, &matrix->importers, answers);

	if (!err)
		return 0;
	if (err == -ENXIO)
		report("a function has just left");
	else
		report_call(err, "cannot ask for routes");
	return advise("asked for the memory of %s",
		      name_of(&matrix->machine->functions[provider].address).text);
}

static int ask_all(struct matrix *matrix)
{
	struct answer *next;
	int row, status = 0;

	next = calloc((size_t)matrix->providers.nr * (size_t)matrix->importers.nr + 1,
		      sizeof(*next));
	matrix->answers = next;
	if (!next)
		return report("out of memory");
	for (row = 0; row < matrix->providers.nr && !status; row++) {
		status = ask_row(matrix, row, next);
		next += matrix->importers.nr;
	}
	return status;
}

char route_letter(const struct peerbuf_verdict *verdict)
{
	if (verdict->reason == PEERBUF_REASON_SAME_FUNCTION)
		return '=';
	if (verdict->route == PEERBUF_ROUTE_BUS)
		return 'B';
	return verdict->route == PEERBUF_ROUTE_HOST ? 'H' : '-';
}

static bool same_cause(const struct peerbuf_verdict *a, const struct peerbuf_verdict *b)
{
	return a->route == b->route && a->reason == b->reason &&
	       !((a->flags ^ b->flags) & PEERBUF_VERDICT_BLOCKER) &&
	       !memcmp(&a->blocker, &b->blocker, sizeof(a->blocker));
}

static int by_pairs(const void *a, const void *b)
{
	const struct cause *x = a, *y = b;

	return y->pairs - x->pairs;
}

/* What there is no route for, or a longer one, and why: most pairs first. */
int find_causes(const struct matrix *matrix, struct cause **causes)
{
	size_t i, pairs = (size_t)matrix->providers.nr * (size_t)matrix->importers.nr;
	int j, nr = 0;

	*causes = calloc(pairs + 1, sizeof(**causes));
	for (i = 0; *causes && i < pairs; i++) {
		const struct peerbuf_verdict *verdict = &matrix->answers[i].verdict;

		if (verdict->route == PEERBUF_ROUTE_BUS)
			continue;
		for (j = 0; j < nr && !same_cause(&(*causes)[j].verdict, verdict); j++)
			;
		if (j == nr)
			(*causes)[nr++].verdict = *verdict;
		(*causes)[j].pairs++;
	}
	if (nr)
		qsort(*causes, (size_t)nr, sizeof(**causes), by_pairs);
	return nr;
}

static int answer_request(const struct request *request)
{
	struct matrix matrix = { 0 };
	struct machine machine;
	int status;

	status = read_machine(&machine, &request->source);
	matrix.machine = &machine;
	if (!status)
		status = select_providers(&matrix, request);
	if (!status)
		status = select_importers(&matrix, request);
	if (!status)
		status = ask_all(&matrix);
	if (!status)
		status = request->print ? request->print(&matrix) : print_table(&matrix);

	free(matrix.answers);
	free(matrix.importers.functions);
	free(matrix.providers.functions);
	if (machine.control >= 0)
		close(machine.control);
	machine_free(&machine);
	return status;
}

static int run(int argc, char **argv)
{
	struct request request = { 0 };
	int option, status;

	while ((option = getopt_long(argc, argv, ":", options, NULL)) != -1) {
		status = take_option(&request, option, argv);
		if (status)
			return status;
	}
	if (optind < argc)
		return report_usage(&verb_routes, "routes takes no argument \"%s\"",
				    argv[optind]);
	if (request.all && request.providers && request.importers)
		return report_usage(&verb_routes, "--all has nothing to add to the two lists");
	return answer_request(&request);
}

const struct verb verb_routes = {
	.name = "routes",
	.args = "[--all] [--providers LIST] [--importers LIST]\n"
		"                      [--json | --dot | --svg] [--from-dump FILE [--cpu CPU]]",
	.summary = "show who reaches whose memory, as a table or a picture",
	.help =
	"Asks for the routes between all providers and all endpoints that could import\n"
	"from them. Needs no privilege.\n"
	"\n"
	"  --all             every function with a memory BAR, not just the providers\n"
	"  --providers LIST  these: functions or ids, as in 02:00.0,1af4:1110,10de:\n"
	"  --importers LIST  likewise\n"
	"  --json            for programs\n"
	"  --dot             a graph, for dot(1)\n"
	"  --svg             a picture of the PCI tree, for a browser\n"
	"  --from-dump FILE  of another machine; made there by root with\n"
	"                    \"lspci -D -xxxx > FILE\" or \"peerbuf dump > FILE\"\n"
	"  --cpu CPU         of that machine: amd-zen or other\n",
	.error = EXIT_ERROR,
	.run = run,
};
