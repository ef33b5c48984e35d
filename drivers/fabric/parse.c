// SPDX-License-Identifier: GPL-2.0-only
/*
 * From a line of the description to the tree. A line is a statement followed by
 * attributes; what it is below of is said by its indentation.
 */
#include <linux/array_size.h>
#include <linux/bits.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/log2.h>
#include <linux/sizes.h>
#include <linux/string.h>

#include "fabric.h"

#define FOR_HOST	BIT(31)
#define FOR_ENDPOINTS	(BIT(FABRIC_ENDPOINT) | BIT(FABRIC_INTEGRATED))
#define FOR_PORTS	(BIT(FABRIC_ROOT_PORT) | BIT(FABRIC_UPSTREAM) | \
			 BIT(FABRIC_DOWNSTREAM))
#define FOR_FUNCTIONS	(FOR_ENDPOINTS | FOR_PORTS)

/**
 * struct parser - the line in work
 * @fabric: the file
 * @words: of the line
 * @indent: white space before them
 * @host: the host bridge above, or described by the line
 * @parent: the port above, or NULL
 * @function: described by the line; NULL if that is a host bridge
 * @name: of @function, or NULL
 * @device: wanted device number, -1 for any
 * @fn_first: wanted function number, -1 for any
 * @fn_last: last function that the line describes
 */
struct parser {
	struct fabric *fabric;
	struct fabric_words words;
	unsigned int indent;
	struct fabric_host *host;
	struct fabric_function *parent;
	struct fabric_function *function;
	const char *name;
	int device;
	int fn_first;
	int fn_last;
};

static int __printf(2, 3) fail(struct parser *parser, const char *format, ...)
{
	struct va_format vaf = { .fmt = format };
	va_list args;
	int ret;

	va_start(args, format);
	vaf.va = &args;
	ret = fabric_fail(parser->fabric, parser->fabric->line_nr, -EINVAL,
			  "%pV", &vaf);
	va_end(args);
	return ret;
}

static int fail_memory(struct parser *parser)
{
	return fabric_fail(parser->fabric, parser->fabric->line_nr, -ENOMEM,
			   "out of memory");
}

/* The function that an id or class on a bridge line is about. */
static struct fabric_function *host_function(struct parser *parser)
{
	struct fabric_function *function;

	function = fabric_next_function(parser->host, NULL);
	if (function)
		return function;

	function = fabric_add_function(parser->fabric, parser->host, NULL,
				       FABRIC_HOST_FUNCTION);
	if (function)
		fabric_place(function, 0, 0);
	return function;
}

static int parse_id(struct parser *parser, char *key)
{
	struct fabric_function *function = parser->function;

	if (!function)
		function = host_function(parser);
	if (!function)
		return fail_memory(parser);
	if (fabric_parse_id(fabric_word(&parser->words), &function->vendor,
			    &function->device))
		return fail(parser, "'id' needs VENDOR:DEVICE, hexadecimal");

	return 0;
}

/*
 * The PCI core takes USB controllers over from the firmware before any driver
 * comes, by way of their registers; here there are none.
 */
static int parse_class(struct parser *parser, char *key)
{
	char *word = fabric_word(&parser->words);
	u32 class;

	if (!word || (strlen(word) != 4 && strlen(word) != 6) ||
	    kstrtou32(word, 16, &class))
		return fail(parser, "'class' needs 4 or 6 hexadecimal digits");
	if (strlen(word) == 4)
		class <<= 8;
	if (class >> 8 == PCI_CLASS_BRIDGE_PCI ||
	    class >> 8 == PCI_CLASS_SERIAL_USB)
		return fail(parser, "an ep cannot be a PCI bridge or a USB controller");

	parser->function->class = class;
	return 0;
}

static int parse_dev(struct parser *parser, char *key)
{
	u64 device;

	if (fabric_parse_number(fabric_word(&parser->words), 31, &device))
		return fail(parser, "'dev' needs a number up to 31");

	parser->device = device;
	return 0;
}

static int parse_fn(struct parser *parser, char *key)
{
	if (fabric_parse_range(fabric_word(&parser->words), 7,
			       &parser->fn_first, &parser->fn_last))
		return fail(parser, "'fn' needs a number up to 7, or FIRST-LAST");

	return 0;
}

/* Takes names of bits for as long as there are some. */
static u16 acs_bits(struct fabric_words *words)
{
	u16 bits = 0, bit;

	while (words->next < words->nr) {
		bit = fabric_acs_bit(words->word[words->next]);
		if (!bit)
			break;
		bits |= bit;
		words->next++;
	}

	return bits;
}

static int parse_acs(struct parser *parser, char *key)
{
	struct fabric_function *function = parser->function;

	function->has_acs = true;
	function->acs_cap = acs_bits(&parser->words);
	function->acs_ctrl = function->acs_cap;
	return 0;
}

static int parse_control(struct parser *parser, char *key)
{
	struct fabric_function *function = parser->function;

	function->acs_ctrl = acs_bits(&parser->words);
	if (!function->has_acs || function->acs_ctrl & ~function->acs_cap)
		return fail(parser, "'control' comes after 'acs', with bits of it");

	return 0;
}

static bool bar_is_free(const struct fabric_function *function, int nr,
			bool wide)
{
	const struct fabric_bar *bars = function->bars;

	if (nr >= PCI_STD_NUM_BARS || bars[nr].size ||
	    (nr > 0 && bars[nr - 1].size && bars[nr - 1].wide))
		return false;

	return !wide || (nr + 1 < PCI_STD_NUM_BARS && !bars[nr + 1].size);
}

/* barN SIZE [prefetch] [32] */
static int parse_bar(struct parser *parser, char *key)
{
	struct fabric_words *words = &parser->words;
	struct fabric_bar bar = { .wide = true };
	int nr = key[3] - '0';

	if (fabric_parse_size(fabric_word(words), &bar.size) ||
	    bar.size < 16 || !is_power_of_2(bar.size) || bar.size >> 52)
		return fail(parser, "'%s' needs a power of two, from 16 bytes to 2048T",
			    key);
	for (; words->next < words->nr; words->next++) {
		if (!strcmp(words->word[words->next], "prefetch"))
			bar.prefetch = true;
		else if (!strcmp(words->word[words->next], "32"))
			bar.wide = false;
		else
			break;
	}
	if (!bar.wide && bar.size > SZ_2G)
		return fail(parser, "'%s': 32 bits reach no further than 2G", key);
	if (!bar_is_free(parser->function, nr, bar.wide))
		return fail(parser, "'%s' overlaps another BAR; one of 64 bits takes two numbers",
			    key);

	parser->function->bars[nr] = bar;
	return 0;
}

static int parse_mask(struct parser *parser, char *key)
{
	u64 bits;

	if (fabric_parse_number(fabric_word(&parser->words), 64, &bits) ||
	    bits < 24)
		return fail(parser, "'mask' needs a number of bits from 24 to 64");

	parser->function->mask_bits = bits;
	return 0;
}

static int parse_below(struct parser *parser, char *key)
{
	char *name = fabric_word(&parser->words);

	parser->host->above = name ? fabric_find_name(parser->fabric, name) :
				     NULL;
	if (!parser->host->above || fabric_is_port(parser->host->above))
		return fail(parser, "'below' needs the name of an ep before this line");

	return 0;
}

/* window barN: all of a BAR of the function above */
static int parse_window_bar(struct parser *parser, const char *word,
			    struct fabric_window *window)
{
	const struct fabric_function *above = parser->host->above;
	int nr = word[3] - '0';

	if (!above)
		return fail(parser, "'window %s' comes after 'below'", word);
	if (word[4] || nr < 0 || nr >= PCI_STD_NUM_BARS || !above->bars[nr].size)
		return fail(parser, "'%s' has no %s", above->name, word);

	window->bar = nr;
	return 0;
}

/* window any|ADDRESS SIZE */
static int parse_window_range(struct parser *parser, const char *word,
			      struct fabric_window *window)
{
	char *size = fabric_word(&parser->words);

	window->anywhere = word && !strcmp(word, "any");
	if ((!window->anywhere && fabric_parse_size(word, &window->start)) ||
	    fabric_parse_size(size, &window->size) ||
	    !window->size || !IS_ALIGNED(window->size | window->start, SZ_1M) ||
	    window->start + window->size - 1 < window->start)
		return fail(parser, "'window' needs 'any' or an address, and a size, in 1M");

	return 0;
}

static int parse_window(struct parser *parser, char *key)
{
	struct fabric_host *host = parser->host;
	char *word = fabric_word(&parser->words);
	struct fabric_window *window;

	if (host->nr_windows == FABRIC_MAX_WINDOWS)
		return fail(parser, "more than %d windows", FABRIC_MAX_WINDOWS);

	window = &host->windows[host->nr_windows++];
	window->bar = -1;
	if (word && str_has_prefix(word, "bar"))
		return parse_window_bar(parser, word, window);
	return parse_window_range(parser, word, window);
}

/* bus ADDRESS: where the last window lies on the bus */
static int parse_bus(struct parser *parser, char *key)
{
	struct fabric_host *host = parser->host;
	struct fabric_window *window;

	if (!host->nr_windows)
		return fail(parser, "'bus' comes after 'window'");

	window = &host->windows[host->nr_windows - 1];
	window->by_bus = true;
	if (fabric_parse_size(fabric_word(&parser->words),
			      &window->bus_start) ||
	    !IS_ALIGNED(window->bus_start, SZ_1M))
		return fail(parser, "'bus' needs an address, a multiple of 1M");

	return 0;
}

/* offset NUMBER: CPU address minus bus address of the last window */
static int parse_offset(struct parser *parser, char *key)
{
	struct fabric_host *host = parser->host;
	struct fabric_window *window;

	if (!host->nr_windows)
		return fail(parser, "'offset' comes after 'window'");

	window = &host->windows[host->nr_windows - 1];
	if (fabric_parse_size(fabric_word(&parser->words), &window->offset) ||
	    !IS_ALIGNED(window->offset, SZ_1M))
		return fail(parser, "'offset' needs a number, a multiple of 1M");

	return 0;
}

static const struct attribute_word {
	const char *name;
	u32 kinds;
	int (*parse)(struct parser *parser, char *key);
} attribute_words[] = {
	{ "id", FOR_HOST | FOR_FUNCTIONS, parse_id },
	{ "class", FOR_ENDPOINTS, parse_class },
	{ "dev", FOR_FUNCTIONS, parse_dev },
	{ "fn", FOR_FUNCTIONS, parse_fn },
	{ "acs", FOR_FUNCTIONS, parse_acs },
	{ "control", FOR_FUNCTIONS, parse_control },
	{ "bar0", FOR_ENDPOINTS, parse_bar },
	{ "bar1", FOR_ENDPOINTS, parse_bar },
	{ "bar2", FOR_ENDPOINTS, parse_bar },
	{ "bar3", FOR_ENDPOINTS, parse_bar },
	{ "bar4", FOR_ENDPOINTS, parse_bar },
	{ "bar5", FOR_ENDPOINTS, parse_bar },
	{ "mask", FOR_ENDPOINTS, parse_mask },
	{ "below", FOR_HOST, parse_below },
	{ "window", FOR_HOST, parse_window },
	{ "bus", FOR_HOST, parse_bus },
	{ "offset", FOR_HOST, parse_offset },
};

static const struct attribute_word *find_attribute(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(attribute_words); i++)
		if (!strcmp(attribute_words[i].name, name))
			return &attribute_words[i];

	return NULL;
}

static int parse_attributes(struct parser *parser)
{
	u32 kind = parser->function ? BIT(parser->function->kind) : FOR_HOST;
	const struct attribute_word *attribute;
	char *word;
	int ret;

	while ((word = fabric_word(&parser->words))) {
		attribute = find_attribute(word);
		if (!attribute)
			return fail(parser, "'%s' is not known here", word);
		if (!(attribute->kinds & kind))
			return fail(parser, "'%s' does not go with '%s'", word,
				    parser->words.word[0]);
		ret = attribute->parse(parser, word);
		if (ret)
			return ret;
	}

	return 0;
}

/* A word that no attribute has is a name. */
static int parse_name(struct parser *parser)
{
	struct fabric_words *words = &parser->words;
	char *word;

	if (words->next == words->nr || find_attribute(words->word[words->next]))
		return 0;

	word = fabric_word(words);
	if (fabric_find_name(parser->fabric, word))
		return fail(parser, "there is a '%s' already", word);
	if (strlen(word) + 2 >= FABRIC_NAME_SIZE)
		return fail(parser, "the name '%s' is too long", word);

	parser->name = word;
	strscpy(parser->function->name, word);
	return 0;
}

static int push_level(struct parser *parser)
{
	struct fabric *fabric = parser->fabric;

	if (fabric->nr_levels == ARRAY_SIZE(fabric->levels) ||
	    (parser->function && parser->function->depth > FABRIC_MAX_DEPTH))
		return fail(parser, "more than %d ports on top of each other",
			    FABRIC_MAX_DEPTH);

	fabric->levels[fabric->nr_levels++] = (struct fabric_level) {
		.indent = parser->indent,
		.function = parser->function,
	};
	return 0;
}

static void set_name(struct parser *parser, struct fabric_function *function,
		     int fn)
{
	if (parser->name)
		snprintf(function->name, sizeof(function->name), "%s.%d",
			 parser->name, fn);
}

/* The other functions of fn FIRST-LAST are like the first, but for the name. */
static int add_like(struct parser *parser, int fn)
{
	const struct fabric_function *model = parser->function;
	struct fabric_function *function;

	function = fabric_add_function(parser->fabric, parser->host,
				       parser->parent, model->kind);
	if (!function)
		return fail_memory(parser);

	function->vendor = model->vendor;
	function->device = model->device;
	function->class = model->class;
	function->mask_bits = model->mask_bits;
	function->has_acs = model->has_acs;
	function->acs_cap = model->acs_cap;
	function->acs_ctrl = model->acs_ctrl;
	memcpy(function->bars, model->bars, sizeof(function->bars));
	set_name(parser, function, fn);
	if (!fabric_place(function, PCI_SLOT(model->devfn), fn))
		return fail(parser, "function %d of this device is there already",
			    fn);
	return 0;
}

static int place_functions(struct parser *parser)
{
	struct fabric_function *function = parser->function;
	int fn, ret;

	if (!fabric_place(function, parser->device, parser->fn_first))
		return fail(parser, "no such place on this bus, or taken; a link has device 0");
	if (parser->fn_first == parser->fn_last)
		return 0;
	if (fabric_is_port(function))
		return fail(parser, "only an ep can have several functions in a line");

	set_name(parser, function, parser->fn_first);
	for (fn = parser->fn_first + 1; fn <= parser->fn_last; fn++) {
		ret = add_like(parser, fn);
		if (ret)
			return ret;
	}

	return 0;
}

static int parse_function(struct parser *parser, enum fabric_kind kind)
{
	int ret;

	if (parser->fabric->nr_functions >= FABRIC_MAX_FUNCTIONS)
		return fail(parser, "more than %d functions",
			    FABRIC_MAX_FUNCTIONS);

	parser->function = fabric_add_function(parser->fabric, parser->host,
					       parser->parent, kind);
	if (!parser->function)
		return fail_memory(parser);

	ret = parse_name(parser);
	if (!ret)
		ret = parse_attributes(parser);
	if (!ret)
		ret = place_functions(parser);
	if (!ret)
		ret = push_level(parser);
	return ret;
}

static int parse_bridge(struct parser *parser)
{
	struct fabric *fabric = parser->fabric;
	struct fabric_host *host;
	int bus, ret;

	host = fabric_add_host(fabric);
	if (!host)
		return fail_memory(parser);

	parser->host = host;
	fabric->nr_levels = 0;
	if (fabric_parse_place(fabric_word(&parser->words), &host->domain,
			       &bus) || !host->domain)
		return fail(parser, "'bridge' needs DOMAIN or DOMAIN:BUS, hexadecimal, not 0");
	if (bus >= 0) {
		host->bus_given = true;
		host->bus_first = bus;
	}
	ret = parse_attributes(parser);
	if (!ret)
		ret = push_level(parser);
	return ret;
}

static int parse_port(struct parser *parser)
{
	if (!parser->parent)
		return parse_function(parser, FABRIC_ROOT_PORT);
	if (parser->parent->kind == FABRIC_UPSTREAM)
		return parse_function(parser, FABRIC_DOWNSTREAM);
	return fail(parser, "a port is below a bridge or a switch");
}

static int parse_switch(struct parser *parser)
{
	if (parser->parent && parser->parent->kind != FABRIC_UPSTREAM)
		return parse_function(parser, FABRIC_UPSTREAM);
	return fail(parser, "a switch is below a port");
}

static int parse_endpoint(struct parser *parser)
{
	if (!parser->parent)
		return parse_function(parser, FABRIC_INTEGRATED);
	if (parser->parent->kind != FABRIC_UPSTREAM)
		return parse_function(parser, FABRIC_ENDPOINT);
	return fail(parser, "an ep is below a bridge or a port");
}

/* A window on a line of its own, below its bridge. */
static int parse_window_line(struct parser *parser)
{
	if (parser->parent)
		return fail(parser, "a window is below a bridge");

	parser->words.next = 0;
	return parse_attributes(parser);
}

static const struct statement {
	const char *name;
	int (*parse)(struct parser *parser);
} statements[] = {
	{ "port", parse_port },
	{ "switch", parse_switch },
	{ "ep", parse_endpoint },
	{ "window", parse_window_line },
};

static unsigned int measure_indent(const char *line)
{
	unsigned int width = 0;

	for (; *line == ' ' || *line == '\t'; line++)
		width = *line == '\t' ? round_up(width + 1, 8) : width + 1;

	return width;
}

/* What is above is the last line that is indented less. */
static int find_parent(struct parser *parser)
{
	struct fabric *fabric = parser->fabric;
	struct fabric_level *level;
	unsigned int popped = 0;

	while (fabric->nr_levels &&
	       fabric->levels[fabric->nr_levels - 1].indent >= parser->indent)
		popped = fabric->levels[--fabric->nr_levels].indent;

	if (!fabric->nr_levels)
		return fail(parser, "'%s' is below nothing: indent it, after a bridge",
			    parser->words.word[0]);
	if (popped > parser->indent)
		return fail(parser, "indented like no line above");

	level = &fabric->levels[fabric->nr_levels - 1];
	parser->host = list_last_entry(&fabric->hosts, struct fabric_host,
				       node);
	parser->parent = level->function;
	return 0;
}

static int parse_below_bridge(struct parser *parser, const char *word)
{
	size_t i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(statements); i++)
		if (!strcmp(statements[i].name, word))
			break;
	if (i == ARRAY_SIZE(statements))
		return fail(parser, "'%s' is none of bridge, window, port, switch, ep, end",
			    word);

	ret = find_parent(parser);
	if (ret)
		return ret;
	if (parser->parent && !fabric_is_port(parser->parent))
		return fail(parser, "nothing can be below an ep");
	return statements[i].parse(parser);
}

/**
 * fabric_parse_line() - take one line of the description
 * @fabric: the file, with the line
 * @end: out: it was the last
 *
 * Return: 0 or a negative errno, with a message.
 */
int fabric_parse_line(struct fabric *fabric, bool *end)
{
	struct parser parser = {
		.fabric = fabric,
		.indent = measure_indent(fabric->line),
		.device = -1,
		.fn_first = -1,
		.fn_last = -1,
	};
	char *word;

	if (fabric_split(fabric->line, &parser.words))
		return fail(&parser, "more than %d words", FABRIC_MAX_WORDS);

	word = fabric_word(&parser.words);
	*end = word && !strcmp(word, "end");
	if (!word)
		return 0;
	if (*end && parser.words.nr > 1)
		return fail(&parser, "nothing comes after 'end'");
	if (*end)
		return 0;
	if (strcmp(word, "bridge"))
		return parse_below_bridge(&parser, word);
	if (parser.indent)
		return fail(&parser, "a bridge is not indented");
	return parse_bridge(&parser);
}
