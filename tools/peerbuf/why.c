// SPDX-License-Identifier: MIT
/* peerbuf why: the way of one pair, port by port, and what would help. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "why.h"

#define WIDTH 88

static void print_verdict(const struct finding *finding)
{
	const struct peerbuf_verdict *verdict = &finding->answer.verdict;
	const struct pci_function *functions = finding->machine->functions;
	struct name a = name_of(&functions[finding->provider].address);
	struct name b = name_of(&functions[finding->importer].address);

	if (verdict->route == PEERBUF_ROUTE_NONE)
		printf("%s cannot reach the memory of %s.\n", b.text, a.text);
	else
		printf("%s reaches the memory of %s by the %s route.\n", b.text, a.text,
		       peerbuf_route_name(verdict->route));
	printf("%s", peerbuf_reason_text(verdict->reason));
	if (verdict->reason == PEERBUF_REASON_ACS_REDIRECT)
		printf(" That bridge is %s to forward them.",
		       verdict->route == PEERBUF_ROUTE_NONE ? "not known" : "trusted");
	printf("\n");
	if (verdict->flags & PEERBUF_VERDICT_ADMIN)
		printf("The administrator vouches for the host bridge (trusted_bridges).\n");
	if (verdict->flags & PEERBUF_VERDICT_DISAGREES)
		printf("The kernel's own pci_p2pdma_distance() says otherwise.\n");
	if (!finding->answer.certain)
		printf("Not certain: if a port of unknown ACS redirects, the route is %s.\n",
		       peerbuf_route_name(finding->answer.otherwise.route));
	printf("\n");
}

static const char *describe(const struct pci_function *f)
{
	if (f->type == TYPE_UNKNOWN)
		return f->bridge ? "bridge" : class_word(f);
	if (f->bridge)
		return peerbuf_port_type_name(f->type);
	return class_word(f);
}

static void print_acs(const struct pci_function *f)
{
	char cap[PEERBUF_ACS_LEN], ctrl[PEERBUF_ACS_LEN];

	if (!f->acs_known) {
		printf("%s", f->bridge || f->multi ? "  ACS not known" : "");
		return;
	}
	if (!f->acs) {
		printf("%s", f->bridge ? "  no ACS" : "");
		return;
	}
	peerbuf_format_acs(f->acs_cap, cap, sizeof(cap));
	peerbuf_format_acs(f->acs_ctrl, ctrl, sizeof(ctrl));
	printf("  ACS %s  (can %s)", *ctrl ? ctrl : "off", *cap ? cap : "nothing");
}

/* What the verdict says of one of the host bridges on the way. */
static const char *describe_forwarding(const struct finding *finding, const struct hop *hop)
{
	const struct pci_function *functions = finding->machine->functions;
	const struct peerbuf_verdict *verdict = &finding->answer.verdict;
	const struct pci_function *f;

	if (verdict->route == PEERBUF_ROUTE_HOST)
		return "  trusted to forward";
	if (verdict->reason == PEERBUF_REASON_ACS_REDIRECT)
		return "  not known to forward";
	if (verdict->reason != PEERBUF_REASON_HOST_UNTRUSTED || hop->function == NOWHERE)
		return "";
	f = &functions[hop->function];
	if (memcmp(&verdict->blocker, &f->address, sizeof(verdict->blocker)))
		return "";
	return engine_lists(f, true) ? "  forwards only within itself  <- blocks" :
				       "  not known to forward  <- blocks";
}

static void print_host_hop(const struct finding *finding, const struct hop *hop)
{
	const struct machine *machine = finding->machine;
	const struct host_bridge *host = &machine->hosts[hop->host];
	struct peerbuf_function parent;
	char name[16], id[16] = "-";

	snprintf(name, sizeof(name), "%04x:%02x", host->domain, host->bus);
	if (hop->function != NOWHERE)
		snprintf(id, sizeof(id), "%04x:%04x", machine->functions[hop->function].vendor,
			 machine->functions[hop->function].device);
	printf("  host      %-13s %-23s %s%s", name, "host bridge", id,
	       describe_forwarding(finding, hop));
	if (machine->control >= 0 && !root_bus_parent(host->domain, host->bus, &parent))
		printf("  (a child of %s)", name_of(&parent).text);
	printf("\n");
}

static void print_hop(const struct finding *finding, const struct hop *hop)
{
	const struct pci_function *f = &finding->machine->functions[hop->function];

	printf("  %-9s %-13s %-23s %04x:%04x", hop_role_name(hop->role),
	       name_of(&f->address).text, describe(f), f->vendor, f->device);
	print_acs(f);
	if (hop->redirects)
		printf("  <- redirects:%s%s%s", f->acs_ctrl & ACS_RR ? " requests" : "",
		       f->acs_ctrl & ACS_CR ? " completions" : "",
		       f->acs_ctrl & ACS_EC ? " egress" : "");
	printf("\n");
}

static void print_hops(const struct finding *finding)
{
	int i;

	for (i = 0; i < finding->nr_hops; i++) {
		if (finding->hops[i].role == HOP_HOST)
			print_host_hop(finding, &finding->hops[i]);
		else
			print_hop(finding, &finding->hops[i]);
	}
	printf("\n");
}

static void print_facts(const struct finding *finding)
{
	const struct peerbuf_verdict *verdict = &finding->answer.verdict;
	bool live = finding->machine->control >= 0;

	printf("route      %s", peerbuf_route_name(verdict->route));
	if (verdict->distance >= 0)
		printf(", distance %d", verdict->distance);
	printf("\nreason     %s\naddress    ", peerbuf_reason_name(verdict->reason));
	print_address(stdout, verdict, live);
	if (!live) {
		printf("%s\nIOMMU      not in a dump\nDMA mask   not in a dump; 64 bits taken\n\n",
		       verdict->route == PEERBUF_ROUTE_HOST ?
		       ", or an IOVA where the importer has an IOMMU" : "");
		return;
	}
	printf("\nIOMMU      ");
	if (!(verdict->flags & PEERBUF_VERDICT_IOMMU))
		printf("none translates the importer's DMA");
	else if (verdict->route == PEERBUF_ROUTE_BUS)
		printf("there is one, which bus routes do not pass");
	else
		printf("translates the importer's DMA");
	printf("\nDMA mask   0x%llx\n\n", (unsigned long long)verdict->dma_mask);
}

/* Break lines at spaces, and indent those that follow. */
static void print_wrapped(int indent, int at, const char *text)
{
	const char *word;
	size_t length;

	while (*text) {
		length = strcspn(text, " ");
		word = text;
		text += length + strspn(text + length, " ");
		if (at > indent && at + 1 + (int)length > WIDTH) {
			printf("\n%*s", indent, "");
			at = indent;
		} else if (at > indent) {
			printf(" ");
			at++;
		}
		printf("%.*s", (int)length, word);
		at += (int)length;
	}
	printf("\n");
}

static void print_remedy(const struct remedy *remedy, int number)
{
	printf("%2d. ", number);
	print_wrapped(4, 4, remedy->title);
	if (remedy->command)
		printf("      %s\n", remedy->command);
	if (remedy->checked && remedy->then.route != PEERBUF_ROUTE_NONE)
		printf("    Then:  %s route, distance %d\n",
		       peerbuf_route_name(remedy->then.route), remedy->then.distance);
	printf("    Price: ");
	print_wrapped(11, 11, remedy->price);
}

static void print_text(const struct finding *finding)
{
	int i;

	print_verdict(finding);
	print_hops(finding);
	print_facts(finding);
	if (!finding->nr_remedies) {
		printf("Nothing to do.\n");
		return;
	}
	printf("%s\n", finding->answer.verdict.route == PEERBUF_ROUTE_NONE ?
	       "What would help, one of:" : "It works. What would make the way shorter or sure:");
	for (i = 0; i < finding->nr_remedies; i++)
		print_remedy(&finding->remedies[i], i + 1);
}

static int find(const struct machine *machine, const struct peerbuf_function *function,
		int *index)
{
	*index = machine_find(machine, function);
	if (*index != NOWHERE)
		return 0;
	return report("there is no PCI function %s%s", name_of(function).text,
		      machine->control < 0 ? " in the dump" : "; \"lspci -D\" lists them");
}

static int answer(const struct machine *machine, const struct peerbuf_function pair[2],
		  bool json)
{
	struct finding *finding = calloc(1, sizeof(*finding));
	int status, err;

	if (!finding)
		return report("out of memory");
	finding->machine = machine;
	status = find(machine, &pair[0], &finding->provider);
	if (!status)
		status = find(machine, &pair[1], &finding->importer);
	if (!status) {
		err = machine_ask(machine, finding->provider, finding->importer,
				  &finding->answer);
		if (err)
			status = report_call(err, "cannot ask for the route");
	}
	if (!status) {
		find_hops(finding);
		find_remedies(finding);
		if (json)
			print_why_json(finding);
		else
			print_text(finding);
		status = finding->answer.verdict.route == PEERBUF_ROUTE_NONE ? EXIT_NO : EXIT_OK;
		free_remedies(finding);
	}
	free(finding);
	return status;
}

enum { JSON, FROM_DUMP, CPU };

static int parse(int argc, char **argv, struct source_options *source, bool *json,
		 struct peerbuf_function pair[2])
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, JSON },
		{ "from-dump", required_argument, NULL, FROM_DUMP },
		{ "cpu", required_argument, NULL, CPU },
		{ }
	};
	int option;

	while ((option = getopt_long(argc, argv, ":", options, NULL)) != -1) {
		if (option == JSON)
			*json = true;
		else if (option == FROM_DUMP)
			source->dump = optarg;
		else if (option == CPU)
			source->cpu = optarg;
		else
			return report_option(&verb_why, option, argv);
	}
	if (argc - optind != 2)
		return report_usage(&verb_why, "why needs two functions");
	if (parse_function(argv[optind], &pair[0]) || parse_function(argv[optind + 1], &pair[1]))
		return EXIT_ERROR;
	return 0;
}

static int run(int argc, char **argv)
{
	struct source_options source = { 0 };
	struct peerbuf_function pair[2];
	struct machine machine;
	bool json = false;
	int status;

	status = parse(argc, argv, &source, &json, pair);
	if (status)
		return status;
	status = read_machine(&machine, &source);
	if (!status)
		status = answer(&machine, pair, json);
	if (machine.control >= 0)
		close(machine.control);
	machine_free(&machine);
	return status;
}

const struct verb verb_why = {
	.name = "why",
	.args = "PROVIDER IMPORTER [--json] [--from-dump FILE [--cpu CPU]]",
	.summary = "show the way between two functions, and what would help",
	.help =
	"Shows the way from the memory of PROVIDER up to where it turns and down to\n"
	"IMPORTER: each port, its ACS (what it does, and in parentheses what it can do), who\n"
	"is to blame, and what would help, at which price. Needs no privilege.\n"
	"\n"
	"  --json            for programs\n"
	"  --from-dump FILE  of another machine; made there by root with\n"
	"                    \"lspci -D -xxxx > FILE\" or \"peerbuf dump > FILE\"\n"
	"  --cpu CPU         of that machine: amd-zen or other\n"
	"\n"
	"ACS: SV source validation, TB translation blocking, RR request redirect, CR\n"
	"completion redirect, UF upstream forwarding, EC egress control, DT direct\n"
	"translated. RR, CR and EC redirect.\n"
	"\n"
	"Exit status: 0 reachable, 1 not reachable, 2 the question failed.\n",
	.error = EXIT_ERROR,
	.run = run,
};
