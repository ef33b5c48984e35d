// SPDX-License-Identifier: MIT
/* peerbuf why, for programs. */
#include <stdio.h>

#include "why.h"

static void print_acs(const struct pci_function *f)
{
	char cap[PEERBUF_ACS_LEN], ctrl[PEERBUF_ACS_LEN];

	if (!f->acs_known || !f->acs) {
		printf(", \"acs\": %s", f->acs_known ? "null" : "\"unknown\"");
		return;
	}
	peerbuf_format_acs(f->acs_cap, cap, sizeof(cap));
	peerbuf_format_acs(f->acs_ctrl, ctrl, sizeof(ctrl));
	printf(", \"acs\": {\"capability\": %u, \"control\": %u", f->acs_cap, f->acs_ctrl);
	printf(", \"capability_names\": \"%s\", \"control_names\": \"%s\"}", cap, ctrl);
}

static void print_function(const struct pci_function *f)
{
	printf(", \"function\": \"%s\", \"vendor\": \"0x%04x\", \"device\": \"0x%04x\"",
	       name_of(&f->address).text, f->vendor, f->device);
}

static void print_hop(const struct finding *finding, const struct hop *hop)
{
	const struct machine *machine = finding->machine;
	const struct pci_function *f = &machine->functions[hop->function];

	printf("  {\"role\": \"%s\"", hop_role_name(hop->role));
	if (hop->role == HOP_HOST)
		printf(", \"domain\": %u, \"bus\": %u", machine->hosts[hop->host].domain,
		       machine->hosts[hop->host].bus);
	if (hop->function != NOWHERE)
		print_function(f);
	if (hop->role != HOP_HOST) {
		printf(", \"type\": \"%s\"", f->type == TYPE_UNKNOWN ? "unknown" :
		       peerbuf_port_type_name(f->type));
		print_acs(f);
		printf(", \"redirects\": %s", hop->redirects ? "true" : "false");
	}
	printf("}");
}

static void print_remedy(const struct remedy *remedy)
{
	printf("  {\"kind\": \"%s\", \"title\": ", remedy->kind);
	print_json_string(remedy->title);
	printf(",\n   \"command\": ");
	if (remedy->command)
		print_json_string(remedy->command);
	else
		printf("null");
	printf(",\n   \"price\": ");
	print_json_string(remedy->price);
	printf(",\n   \"then\": ");
	if (remedy->checked)
		printf("{\"route\": \"%s\", \"reason\": \"%s\", \"distance\": %d}}",
		       peerbuf_route_name(remedy->then.route),
		       peerbuf_reason_name(remedy->then.reason), remedy->then.distance);
	else
		printf("null}");
}

void print_why_json(const struct finding *finding)
{
	const struct pci_function *functions = finding->machine->functions;
	int i;

	printf("{\"source\": \"%s\"", finding->machine->control < 0 ? "dump" : "kernel");
	printf(", \"provider\": \"%s\"", name_of(&functions[finding->provider].address).text);
	printf(", \"importer\": \"%s\",\n ",
	       name_of(&functions[finding->importer].address).text);
	print_json_verdict(&finding->answer.verdict);
	printf(",\n \"certain\": %s, \"text\": ", finding->answer.certain ? "true" : "false");
	print_json_string(peerbuf_reason_text(finding->answer.verdict.reason));
	printf(",\n \"hops\": [");
	for (i = 0; i < finding->nr_hops; i++) {
		printf("%s\n", i ? "," : "");
		print_hop(finding, &finding->hops[i]);
	}
	printf("\n ],\n \"remedies\": [");
	for (i = 0; i < finding->nr_remedies; i++) {
		printf("%s\n", i ? "," : "");
		print_remedy(&finding->remedies[i]);
	}
	printf("\n ]}\n");
}
