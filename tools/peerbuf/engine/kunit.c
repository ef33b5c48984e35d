// SPDX-License-Identifier: MIT
/* Runs a KUnit suite in user space. TAP output. */
#include <kunit/test.h>

static int tests, failures;

static void run_once(const struct kunit_case *c, const void *param, const char *desc)
{
	struct kunit test = { .param_value = param };

	c->run_case(&test);
	printf("%sok %d %s%s%s\n", test.failed ? "not " : "", ++tests, c->name,
	       *desc ? ": " : "", desc);
	failures += test.failed;
}

static void run_params(const struct kunit_case *c)
{
	const char *param = c->params->first;
	const char *end = param + c->params->bytes;
	const char *desc;

	for (; param < end; param += c->params->step) {
		memcpy(&desc, param + c->params->desc, sizeof(desc));
		run_once(c, param, desc);
	}
}

int main(void)
{
	const struct kunit_case *c;

	printf("TAP version 13\n# %s\n", kunit_suite->name);
	for (c = kunit_suite->test_cases; c->run_case; c++) {
		if (c->params)
			run_params(c);
		else
			run_once(c, NULL, "");
	}
	printf("1..%d\n", tests);
	printf("# Totals: pass:%d fail:%d xfail:0 xpass:0 skip:0 error:0\n",
	       tests - failures, failures);
	return failures || !tests;
}
