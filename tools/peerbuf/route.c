// SPDX-License-Identifier: MIT
/* peerbuf route: can one function reach the memory of another, and how? */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

#define ACS_RR 0x04
#define ACS_CR 0x08
#define ACS_EC 0x20

static const char *address_kind(const struct peerbuf_verdict *verdict)
{
	switch (verdict->route) {
	case PEERBUF_ROUTE_BUS:
		return "bus";
	case PEERBUF_ROUTE_HOST:
		return verdict->flags & PEERBUF_VERDICT_IOMMU ? "iova" : "physical";
	default:
		return "none";
	}
}

static void print_address(const struct peerbuf_verdict *verdict)
{
	long long offset = verdict->bus_offset;

	switch (verdict->route) {
	case PEERBUF_ROUTE_BUS:
		printf("PCI bus address");
		if (offset)
			printf(" (CPU physical address %c 0x%llx)", offset < 0 ? '-' : '+',
			       offset < 0 ? -(unsigned long long)offset :
					    (unsigned long long)offset);
		else
			printf(" (equal to the CPU physical address)");
		break;
	case PEERBUF_ROUTE_HOST:
		printf("%s", verdict->flags & PEERBUF_VERDICT_IOMMU ?
		       "IOVA, from the importer's DMA API" : "CPU physical address");
		break;
	default:
		printf("none");
	}
}

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

/* The hint, with the blocking port's address in the place of PORT. */
static void print_hint(const struct peerbuf_verdict *verdict)
{
	const char *hint = peerbuf_hint(verdict->route, verdict->reason);
	const char *port = strstr(hint, "=PORT");

	if (!port || !(verdict->flags & PEERBUF_VERDICT_BLOCKER)) {
		printf("hint       %s\n", hint);
		return;
	}
	port++;
	printf("hint       %.*s%s%s\n", (int)(port - hint), hint,
	       name_of(&verdict->blocker).text, port + strlen("PORT"));
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
	print_address(verdict);
	printf("\n");
	if (verdict->flags & PEERBUF_VERDICT_BLOCKER)
		print_blocker(verdict);
	if (verdict->reason == PEERBUF_REASON_DMA_MASK)
		printf("DMA mask   0x%llx\n", (unsigned long long)verdict->dma_mask);
	print_hint(verdict);
}

static void json_text(const char *key, const char *value)
{
	printf(",\n \"%s\": ", key);
	print_json_string(value);
}

static void print_json_blocker(const struct peerbuf_verdict *verdict)
{
	printf(",\n \"blocker\": {\"function\": \"%s\"", name_of(&verdict->blocker).text);
	printf(", \"vendor\": \"0x%04x\", \"device\": \"0x%04x\", \"acs\": %u}",
	       verdict->blocker_id >> 16, verdict->blocker_id & 0xffff, verdict->acs);
}

static void print_json(const struct peerbuf_route_query *query)
{
	const struct peerbuf_verdict *verdict = &query->verdict;

	printf("{\"provider\": \"%s\"", name_of(&query->provider).text);
	json_text("importer", name_of(&query->importer).text);
	json_text("route", peerbuf_route_name(verdict->route));
	json_text("reason", peerbuf_reason_name(verdict->reason));
	json_text("text", peerbuf_reason_text(verdict->reason));
	json_text("hint", peerbuf_hint(verdict->route, verdict->reason));
	json_text("address", address_kind(verdict));
	printf(",\n \"distance\": %d,\n \"bus_offset\": %lld,\n \"dma_mask\": \"0x%llx\"",
	       verdict->distance, (long long)verdict->bus_offset,
	       (unsigned long long)verdict->dma_mask);
	if (verdict->flags & PEERBUF_VERDICT_BLOCKER)
		print_json_blocker(verdict);
	printf("}\n");
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
