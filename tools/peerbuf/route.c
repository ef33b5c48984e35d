// SPDX-License-Identifier: MIT
/* peerbuf route: can one function reach the memory of another, and how? */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "machine.h"

static void print_blocker(const struct peerbuf_verdict *verdict)
{
	printf("blocker    %s [%04x:%04x]", name_of(&verdict->blocker).text,
	       verdict->blocker_id >> 16, verdict->blocker_id & 0xffff);
	if (verdict->acs)
		printf(", ACS redirects:%s%s%s", verdict->acs & ACS_RR ? " requests" : "",
		       verdict->acs & ACS_CR ? " completions" : "",
		       verdict->acs & ACS_EC ? " egress" : "");
	printf("\n");
}

static void print_text(const struct peerbuf_route_query *query)
{
	const struct peerbuf_verdict *verdict = &query->verdict;

	if (verdict->route == PEERBUF_ROUTE_NONE)
		printf("%s cannot reach the memory of %s.\n", name_of(&query->importer).text,
		       name_of(&query->provider).text);
	else
		printf("%s reaches the memory of %s by the %s route.\n",
		       name_of(&query->importer).text, name_of(&query->provider).text,
		       peerbuf_route_name(verdict->route));
	printf("reason     %s: %s\n", peerbuf_reason_name(verdict->reason),
	       peerbuf_reason_text(verdict->reason));
	if (verdict->distance >= 0)
		printf("distance   %d\n", verdict->distance);
	printf("address    ");
	print_address(stdout, verdict, true);
	printf("\n");
	if (verdict->flags & PEERBUF_VERDICT_BLOCKER)
		print_blocker(verdict);
	if (verdict->reason == PEERBUF_REASON_DMA_MASK)
		printf("DMA mask   0x%llx\n", (unsigned long long)verdict->dma_mask);
	if (verdict->flags & PEERBUF_VERDICT_ADMIN)
		printf("trust      the administrator's (module parameter trusted_bridges)\n");
	if (verdict->flags & PEERBUF_VERDICT_DISAGREES)
		printf("kernel     pci_p2pdma_distance() says otherwise\n");
	printf("hint       ");
	print_hint(stdout, verdict);
	printf("\n");
}

static void print_json(const struct peerbuf_route_query *query)
{
	const struct peerbuf_verdict *verdict = &query->verdict;

	printf("{\"provider\": \"%s\"", name_of(&query->provider).text);
	printf(", \"importer\": \"%s\",\n ", name_of(&query->importer).text);
	print_json_verdict(verdict);
	printf(",\n \"text\": ");
	print_json_string(peerbuf_reason_text(verdict->reason));
	/* no quote is ever in a hint, an address or an id */
	printf(",\n \"hint\": \"");
	print_hint(stdout, verdict);
	printf("\"}\n");
}

/* Say which of the two does not exist, and fail. */
static int report_missing(const struct peerbuf_function *a, const struct peerbuf_function *b)
{
	char driver[64];

	if (!device_driver(a, driver, sizeof(driver)))
		a = b;
	return report("there is no PCI function %s; \"lspci -D\" lists them", name_of(a).text);
}

static int answer(const struct peerbuf_function *provider,
		  const struct peerbuf_function *importer, bool json)
{
	struct peerbuf_route_query query = { .size = sizeof(query) };
	int control, err;

	control = open_control();
	if (control < 0)
		return EXIT_ERROR;
	err = peerbuf_query_route(control, provider, importer, &query);
	close(control);
	if (err == -ENXIO)
		return report_missing(provider, importer);
	if (err)
		return report_call(err, "cannot ask for the route");

	if (json)
		print_json(&query);
	else
		print_text(&query);
	return query.verdict.route == PEERBUF_ROUTE_NONE ? EXIT_NO : EXIT_OK;
}

static int run(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ }
	};
	struct peerbuf_function provider, importer;
	bool json = false;
	int option;

	while ((option = getopt_long(argc, argv, ":", options, NULL)) != -1) {
		if (option != 'j')
			return report_option(&verb_route, option, argv);
		json = true;
	}
	if (argc - optind != 2)
		return report_usage(&verb_route, "route needs two functions");
	if (parse_function(argv[optind], &provider) ||
	    parse_function(argv[optind + 1], &importer))
		return EXIT_ERROR;
	return answer(&provider, &importer, json);
}

const struct verb verb_route = {
	.name = "route",
	.args = "PROVIDER IMPORTER [--json]",
	.summary = "say whether and how one function reaches another's memory",
	.help =
	"Asks the kernel how the function IMPORTER would reach the memory of PROVIDER, and\n"
	"why. Any two PCI functions will do, bound to peerbuf or not. Needs no privilege.\n"
	"\n"
	"  bus    below one bridge, by PCI bus address\n"
	"  host   across a host bridge that is trusted to forward it\n"
	"  none   not at all\n"
	"\n"
	"  --json  for programs\n"
	"\n"
	"Exit status: 0 reachable, 1 not reachable, 2 the question failed.\n",
	.error = EXIT_ERROR,
	.run = run,
};
