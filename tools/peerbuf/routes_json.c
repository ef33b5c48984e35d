// SPDX-License-Identifier: MIT
/* peerbuf routes, for programs. */
#include <stdio.h>

#include "routes.h"

static void print_function(const struct machine *machine, int i)
{
	const struct pci_function *f = &machine->functions[i];

	printf("  {\"function\": \"%s\", \"vendor\": \"0x%04x\", \"device\": \"0x%04x\"",
	       name_of(&f->address).text, f->vendor, f->device);
	printf(", \"class\": \"0x%06x\", \"parent\": ", f->class);
	if (f->parent == NOWHERE)
		printf("null");
	else
		printf("\"%s\"", name_of(&machine->functions[f->parent].address).text);
	printf(", \"provider\": %s, \"label\": ", f->provider ? "true" : "false");
	print_json_string(f->label);
	printf("}");
}

static void print_list(const struct machine *machine, const char *key,
		       const struct selection *selection)
{
	int i;

	printf(" \"%s\": [", key);
	for (i = 0; i < selection->nr; i++) {
		printf("%s\n", i ? "," : "");
		print_function(machine, selection->functions[i]);
	}
	printf("\n ],\n");
}

static void print_pair(const struct matrix *matrix, int row, int column)
{
	const struct answer *answer = answer_at(matrix, row, column);
	const struct pci_function *functions = matrix->machine->functions;

	printf("  {\"provider\": \"%s\"",
	       name_of(&functions[matrix->providers.functions[row]].address).text);
	printf(", \"importer\": \"%s\", ",
	       name_of(&functions[matrix->importers.functions[column]].address).text);
	print_json_verdict(&answer->verdict);
	printf(", \"certain\": %s}", answer->certain ? "true" : "false");
}

int print_routes_json(const struct matrix *matrix)
{
	int row, column;

	printf("{\"source\": \"%s\",\n", matrix->machine->control < 0 ? "dump" : "kernel");
	print_list(matrix->machine, "providers", &matrix->providers);
	print_list(matrix->machine, "importers", &matrix->importers);
	printf(" \"routes\": [");
	for (row = 0; row < matrix->providers.nr; row++) {
		for (column = 0; column < matrix->importers.nr; column++) {
			printf("%s\n", row || column ? "," : "");
			print_pair(matrix, row, column);
		}
	}
	printf("\n ]}\n");
	return EXIT_OK;
}
