// SPDX-License-Identifier: MIT
/*
 * peerbuf routes --svg: the PCI tree on the left, a line for each function, and
 * beside the importers the matrix with a column for each provider. One file
 * without scripts or anything from elsewhere; light or dark as the viewer likes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tree.h"

#define MARGIN 24
#define ROW 26
#define BOX 20
#define INDENT 26
#define TRUNK 12	/* from the left of a box to the line to its children */
#define LANE 3		/* beside the grey line, for each colour */
#define CELL 22
#define PILL 62
#define BOX_CHAR 7.4	/* width of a character, 12 px, with some room */
#define NOTE_CHAR 6.8	/* the same, 11 px */
#define HEAD 66		/* title and subtitle */
#define LEGEND_ROW 23
#define LEGEND_WIDTH 430
#define LEAST_WIDTH 640

/**
 * struct canvas - where everything goes
 * @matrix: what is shown
 * @tree: likewise
 * @lines: the words, for each node
 * @marks: those of all nodes
 * @top: where the first node is
 * @cells: where the matrix begins
 * @width: of the picture
 * @height: likewise
 */
struct canvas {
	const struct matrix *matrix;
	struct tree tree;
	struct line *lines;
	unsigned int marks;
	double top;
	double cells;
	double width;
	double height;
};

static const char style[] =
	".bg{fill:#fff}.band{fill:#f3f5f7}.text{fill:#1f2328}.dim{fill:#59636e}\n"
	".bad{fill:#cf222e}.slow{fill:#8a5a00}.box{fill:#fff;stroke:#818b98}\n"
	".leaf{fill:#eef4fb;stroke:#54789c}.blocks{stroke:#cf222e;stroke-width:2.5}\n"
	".redirects{stroke:#b87500;stroke-width:2;stroke-dasharray:5 3}\n"
	".link{fill:none;stroke:#b6bec7;stroke-width:1.5}\n"
	".lbus{fill:none;stroke:#1a7f37;stroke-width:2.5}\n"
	".lhost{fill:none;stroke:#b87500;stroke-width:2.5}\n"
	".guide{stroke:#c9d0d7;stroke-width:1;stroke-dasharray:1 4}\n"
	".bus{fill:#1a7f37}.host{fill:#9a6200}.none{fill:#fbe3e1}.self{fill:#dfe4ea}\n"
	".on{fill:#fff}.off{fill:#cf222e}.pill{fill:#dbe9f9}.pilltext{fill:#0b4a8f}\n"
	"text{font-family:ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace;"
	"font-size:12px}\n"
	".note{font-size:11px}.title{font-size:17px;font-weight:600}\n"
	"@media(prefers-color-scheme:dark){\n"
	".bg{fill:#0d1117}.band{fill:#161b22}.text{fill:#e6edf3}.dim{fill:#9198a1}\n"
	".bad{fill:#ff7b72}.slow{fill:#e3b341}.box{fill:#0d1117;stroke:#6e7781}\n"
	".leaf{fill:#12202f;stroke:#4f7aa5}.blocks{stroke:#ff7b72}\n"
	".redirects{stroke:#d29922}.link{stroke:#454c55}.lbus{stroke:#3fb950}\n"
	".lhost{stroke:#d29922}.guide{stroke:#3d444d}.bus{fill:#238636}\n"
	".host{fill:#946200}.none{fill:#3c1618}.self{fill:#2a313a}.off{fill:#ff7b72}\n"
	".pill{fill:#12325a}.pilltext{fill:#a5cdff}}\n";

static void print_escaped(const char *text)
{
	for (; *text; text++) {
		if (*text == '&')
			fputs("&amp;", stdout);
		else if (*text == '<')
			fputs("&lt;", stdout);
		else if (*text == '>')
			fputs("&gt;", stdout);
		else
			putchar(*text);
	}
}

static void print_text(double x, double y, const char *class, const char *text)
{
	printf("<text x=\"%.0f\" y=\"%.0f\" class=\"%s\">", x, y, class);
	print_escaped(text);
	printf("</text>\n");
}

static void print_centred(double x, double y, const char *class, const char *text)
{
	printf("<text x=\"%.1f\" y=\"%.0f\" text-anchor=\"middle\" class=\"%s\">", x, y, class);
	print_escaped(text);
	printf("</text>\n");
}

struct area {
	double x, y, width, height;
};

static void print_area(struct area area, int round, const char *class, const char *more)
{
	printf("<rect x=\"%.0f\" y=\"%.0f\" width=\"%.0f\" height=\"%.0f\"", area.x, area.y,
	       area.width, area.height);
	printf(" rx=\"%d\" class=\"%s%s\"/>\n", round, class, more);
}

static double box_left(const struct node *node)
{
	return MARGIN + node->depth * INDENT;
}

static double box_width(const struct line *line)
{
	return (double)strlen(line->text) * BOX_CHAR + 16;
}

static double middle(const struct canvas *canvas, int node)
{
	return canvas->top + node * ROW + ROW / 2.0;
}

static double pill_width(const struct node *node)
{
	return node->marks & NODE_PROVIDER ? PILL + 8 : 0;
}

static double note_left(const struct node *node, const struct line *line)
{
	return box_left(node) + box_width(line) + pill_width(node) + 10;
}

/**
 * struct key - a line of the legend, shown where the picture has such a thing
 * @letter: of a cell; 0 for
 * @marks: of a node
 * @text: what it says
 */
struct key {
	char letter;
	unsigned int marks;
	const char *text;
};

static const struct key keys[] = {
	{ 'B', 0, "bus: below one bridge, by PCI bus address" },
	{ 'H', 0, "host: up to a host bridge that forwards it" },
	{ '-', 0, "none; \"peerbuf why\" says what would help" },
	{ '=', 0, "the function itself" },
	{ 0, NODE_BUS, "links that bus routes use" },
	{ 0, NODE_HOSTED, "links that host routes use" },
	{ 0, NODE_BLOCKS, "blocks: there is a pair without a route" },
	{ 0, NODE_REDIRECTS, "redirects (ACS): the way is longer" },
};

static bool key_shown(const struct canvas *canvas, const struct key *key)
{
	const struct matrix *matrix = canvas->matrix;
	int i, pairs = matrix->providers.nr * matrix->importers.nr;

	if (!key->letter)
		return canvas->marks & key->marks;
	for (i = 0; i < pairs; i++) {
		if (route_letter(&matrix->answers[i].verdict) == key->letter)
			return true;
	}
	return false;
}

static double legend_height(const struct canvas *canvas)
{
	size_t i, shown = 0;

	for (i = 0; i < ARRAY_SIZE(keys); i++)
		shown += key_shown(canvas, &keys[i]);
	return (double)shown * LEGEND_ROW + 8;
}

static double longest_name(const struct matrix *matrix)
{
	size_t length, longest = 0;
	int i;

	for (i = 0; i < matrix->providers.nr; i++) {
		int f = matrix->providers.functions[i];

		length = strlen(name_of(&matrix->machine->functions[f].address).text);
		longest = length > longest ? length : longest;
	}
	return (double)longest * NOTE_CHAR;
}

static void lay_out(struct canvas *canvas)
{
	double names = longest_name(canvas->matrix) + 16, legend, right;
	int i;

	canvas->cells = MARGIN + LEGEND_WIDTH;
	for (i = 0; i < canvas->tree.nr; i++) {
		const struct line *line = &canvas->lines[i];

		canvas->marks |= canvas->tree.nodes[i].marks;
		describe_node(canvas->matrix, &canvas->tree.nodes[i], &canvas->lines[i]);
		right = note_left(&canvas->tree.nodes[i], line) +
			(double)strlen(line->note) * NOTE_CHAR + 16;
		canvas->cells = right > canvas->cells ? right : canvas->cells;
	}
	legend = legend_height(canvas);
	canvas->top = HEAD + (names > legend ? names : legend);
	canvas->width = canvas->cells + canvas->matrix->providers.nr * CELL + MARGIN;
	if (canvas->width < LEAST_WIDTH)
		canvas->width = LEAST_WIDTH;
	canvas->height = canvas->top + canvas->tree.nr * ROW + MARGIN;
}

static void draw_head(const struct canvas *canvas)
{
	const struct matrix *matrix = canvas->matrix;
	char text[160];

	printf("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\" ",
	       canvas->width, canvas->height);
	printf("viewBox=\"0 0 %.0f %.0f\" role=\"img\">\n", canvas->width, canvas->height);
	printf("<title>Peer-to-peer routes of %d providers and %d importers</title>\n",
	       matrix->providers.nr, matrix->importers.nr);
	printf("<style>\n%s</style>\n", style);
	printf("<rect class=\"bg\" width=\"%.0f\" height=\"%.0f\"/>\n", canvas->width,
	       canvas->height);
	print_text(MARGIN, 34, "title text", "Who reaches whose memory, peer to peer");
	snprintf(text, sizeof(text), "%d provider%s (columns), %d importer%s (lines); %s",
		 matrix->providers.nr, matrix->providers.nr == 1 ? "" : "s",
		 matrix->importers.nr, matrix->importers.nr == 1 ? "" : "s",
		 matrix->machine->control < 0 ? "from a dump" : "as the kernel routes");
	print_text(MARGIN, 54, "note dim", text);
}

static const char *cell_class(char letter)
{
	return letter == 'B' ? "bus" : letter == 'H' ? "host" : letter == '=' ? "self" : "none";
}

static void draw_cell(double x, double y, const char *class, char letter, bool certain)
{
	const char text[] = { letter, certain ? '\0' : '?', '\0' };

	print_area((struct area) { x, y, CELL - 3, BOX }, 3, class, "");
	print_centred(x + (CELL - 3) / 2.0, y + 14, letter == 'B' || letter == 'H' ? "note on" :
		      letter == '-' ? "note off" : "note dim", text);
}

static void draw_key(const struct key *key, double y)
{
	if (key->letter)
		draw_cell(MARGIN, y, cell_class(key->letter), key->letter, true);
	else if (key->marks & (NODE_BUS | NODE_HOSTED))
		printf("<path d=\"M%d %.0fh20\" class=\"%s\"/>\n", MARGIN, y + 10,
		       key->marks & NODE_BUS ? "lbus" : "lhost");
	else
		print_area((struct area) { MARGIN, y + 3, 20, 14 }, 3, "box",
			   key->marks & NODE_BLOCKS ? " blocks" : " redirects");
	print_text(MARGIN + 30, y + 14, "note text", key->text);
}

static void draw_legend(const struct canvas *canvas)
{
	double y = HEAD + 4;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(keys); i++) {
		if (!key_shown(canvas, &keys[i]))
			continue;
		draw_key(&keys[i], y);
		y += LEGEND_ROW;
	}
}

/* A function's links end below it, so that what is drawn first lies below. */
static void draw_link(const struct canvas *canvas, int i, const char *class, int lane)
{
	const struct node *node = &canvas->tree.nodes[i];
	double x = box_left(&canvas->tree.nodes[node->parent]) + TRUNK + lane;

	printf("<path d=\"M%.0f %.0fV%.0fH%.0f\" class=\"%s\"/>\n", x,
	       middle(canvas, node->parent) + BOX / 2.0, middle(canvas, i) + lane,
	       box_left(node), class);
}

static void draw_links(const struct canvas *canvas)
{
	const struct node *node;
	int i;

	for (i = 0; i < canvas->tree.nr; i++) {
		node = &canvas->tree.nodes[i];
		if (node->parent != NOWHERE)
			draw_link(canvas, i, "link", 0);
	}
	for (i = 0; i < canvas->tree.nr; i++) {
		node = &canvas->tree.nodes[i];
		if (node->parent == NOWHERE)
			continue;
		if (node->marks & NODE_BUS)
			draw_link(canvas, i, "lbus", -LANE);
		if (node->marks & NODE_HOSTED)
			draw_link(canvas, i, "lhost", LANE);
	}
}

static const char *note_class(const struct node *node)
{
	if (node->marks & (NODE_BLOCKS | NODE_MASKED))
		return "note bad";
	return node->marks & NODE_REDIRECTS ? "note slow" : "note dim";
}

static void draw_box(const struct canvas *canvas, int i)
{
	const struct node *node = &canvas->tree.nodes[i];
	const struct line *line = &canvas->lines[i];
	double x = box_left(node), y = middle(canvas, i) - BOX / 2.0;
	const char *mark = node->marks & NODE_BLOCKS ? " blocks" :
			   node->marks & NODE_REDIRECTS ? " redirects" : "";

	print_area((struct area) { x, y, box_width(line), BOX }, 4,
		   node->marks & (NODE_PROVIDER | NODE_IMPORTER) ? "leaf" : "box", mark);
	print_text(x + 8, y + 14, "text", line->text);
	if (node->marks & NODE_PROVIDER) {
		x += box_width(line) + 8;
		print_area((struct area) { x, y + 2, PILL, 16 }, 8, "pill", "");
		print_centred(x + PILL / 2.0, y + 14, "note pilltext", "provider");
	}
	if (*line->note)
		print_text(note_left(node, line), y + 14, note_class(node), line->note);
}

static void draw_node(const struct canvas *canvas, int i)
{
	double y = canvas->top + i * ROW;

	if (canvas->tree.nodes[i].kind != NODE_DOMAIN) {
		draw_box(canvas, i);
		return;
	}
	print_text(MARGIN + INDENT, y + 17, "dim", canvas->lines[i].text);
}

/* A band behind each domain, from its name to the next one's. */
static void draw_bands(const struct canvas *canvas)
{
	struct area area = { .x = 8, .width = canvas->width - 16 };
	int i, end;

	for (i = 0; i < canvas->tree.nr; i++) {
		if (canvas->tree.nodes[i].kind != NODE_DOMAIN)
			continue;
		for (end = i + 1; end < canvas->tree.nr &&
		     canvas->tree.nodes[end].kind != NODE_DOMAIN; end++)
			;
		area.y = canvas->top + i * ROW + 2;
		area.height = (end - i) * ROW - 1;
		print_area(area, 6, "band", "");
	}
}

static void draw_column_names(const struct canvas *canvas)
{
	const struct matrix *matrix = canvas->matrix;
	double x, y = canvas->top - 6;
	const struct pci_function *f;
	int i;

	for (i = 0; i < matrix->providers.nr; i++) {
		x = canvas->cells + i * CELL + 13;
		printf("<g transform=\"translate(%.0f %.0f) rotate(-90)\">", x, y);
		f = &matrix->machine->functions[matrix->providers.functions[i]];
		print_text(0, 0, "note text", name_of(&f->address).text);
		printf("</g>\n");
	}
}

static void draw_row(const struct canvas *canvas, int i)
{
	const struct matrix *matrix = canvas->matrix;
	const struct node *node = &canvas->tree.nodes[i];
	const struct line *line = &canvas->lines[i];
	double y = middle(canvas, i), left;
	int row;

	left = note_left(node, line) + (double)strlen(line->note) * NOTE_CHAR;
	if (left + 2 * CELL < canvas->cells)
		printf("<path d=\"M%.0f %.0fH%.0f\" class=\"guide\"/>\n", left, y,
		       canvas->cells - 6);
	for (row = 0; row < matrix->providers.nr; row++) {
		const struct answer *answer = answer_at(matrix, row, node->column);
		const struct pci_function *functions = matrix->machine->functions;
		char letter = route_letter(&answer->verdict);

		printf("<g><title>%s to %s: %s, %s</title>",
		       name_of(&functions[node->index].address).text,
		       name_of(&functions[matrix->providers.functions[row]].address).text,
		       peerbuf_route_name(answer->verdict.route),
		       peerbuf_reason_name(answer->verdict.reason));
		draw_cell(canvas->cells + row * CELL, y - BOX / 2.0, cell_class(letter), letter,
			  answer->certain);
		printf("</g>\n");
	}
}

static void draw(const struct canvas *canvas)
{
	int i;

	draw_head(canvas);
	draw_bands(canvas);
	draw_legend(canvas);
	draw_column_names(canvas);
	draw_links(canvas);
	for (i = 0; i < canvas->tree.nr; i++) {
		draw_node(canvas, i);
		if (canvas->tree.nodes[i].column != NOWHERE)
			draw_row(canvas, i);
	}
	printf("</svg>\n");
}

int print_svg(const struct matrix *matrix)
{
	struct canvas canvas = { .matrix = matrix };
	int err = make_tree(matrix, &canvas.tree);

	if (!err)
		canvas.lines = calloc((size_t)canvas.tree.nr, sizeof(*canvas.lines));
	if (canvas.lines) {
		lay_out(&canvas);
		draw(&canvas);
	}
	err = canvas.lines ? EXIT_OK : report("out of memory");
	free(canvas.lines);
	free(canvas.tree.nodes);
	return err;
}
