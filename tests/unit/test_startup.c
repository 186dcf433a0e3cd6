/* SPDX-License-Identifier: BSD-2-Clause */
/* lib/startup.c: every word that can be reached, and every short history of one CPU. */
#include "test.h"

#include "lib/startup.h"

struct taken {
	enum startup_action action;
	u32 after;
	u8 vector;
};

static struct taken take(u32 word)
{
	struct taken t = {.after = ~word, .vector = 0xa5};

	t.action = startup_take(word, &t.after, &t.vector);
	if (t.action != STARTUP_START)
		assert_int_equal(t.vector, 0);
	return t;
}

/* --- As an OS does it --- */

static void the_usual_way(void **state)
{
	u32 word = startup_send_init(STARTUP_WORD_HALTED);
	struct taken t;

	(void)state;
	assert_int_equal(startup_state(word), STARTUP_HALTED);
	assert_true(startup_is_reset(word));
	assert_false(startup_is_reset(STARTUP_WORD_HALTED));
	t = take(word);
	assert_int_equal(t.action, STARTUP_INIT);
	assert_int_equal(startup_state(t.after), STARTUP_WAIT);
	assert_int_equal(take(t.after).action, STARTUP_NOTHING);
	word = startup_send_sipi(t.after, 0x99);
	assert_int_equal(startup_state(word), STARTUP_WAIT);
	t = take(word);
	assert_int_equal(t.action, STARTUP_START);
	assert_int_equal(t.vector, 0x99);
	assert_int_equal(t.after, STARTUP_WORD_RUN);
	assert_false(startup_is_reset(t.after));
	/* The second SIPI that the manual wants sent finds it running. */
	assert_int_equal(startup_send_sipi(t.after, 0x99), STARTUP_WORD_RUN);
}

static void initial_words(void **state)
{
	(void)state;
	assert_int_equal(STARTUP_WORD_HALTED, 0);
	assert_int_equal(startup_state(STARTUP_WORD_HALTED), STARTUP_HALTED);
	assert_int_equal(startup_state(STARTUP_WORD_RUN), STARTUP_RUN);
	for (u32 vector = 0; vector < 256; vector++) {
		assert_int_equal(startup_send_sipi(STARTUP_WORD_HALTED, (u8)vector),
				 STARTUP_WORD_HALTED);
		assert_int_equal(startup_send_sipi(STARTUP_WORD_RUN, (u8)vector), STARTUP_WORD_RUN);
	}
	assert_int_equal(take(STARTUP_WORD_HALTED).action, STARTUP_NOTHING);
	assert_int_equal(take(STARTUP_WORD_RUN).action, STARTUP_NOTHING);
}

static void all_sent_before_any_is_taken(void **state)
{
	u32 word = startup_send_sipi(startup_send_init(STARTUP_WORD_RUN), 0);
	struct taken t = take(word);

	(void)state;
	assert_int_equal(t.action, STARTUP_INIT);
	t = take(t.after);
	assert_int_equal(t.action, STARTUP_START);
	assert_int_equal(t.vector, 0);
	assert_int_equal(t.after, STARTUP_WORD_RUN);
}

static void init_drops_an_earlier_sipi(void **state)
{
	u32 word = startup_send_sipi(startup_send_init(STARTUP_WORD_RUN), 0xff);

	(void)state;
	assert_int_equal(startup_send_init(word), startup_send_init(STARTUP_WORD_RUN));
	/* Nothing of its vector is left in a later one's. */
	word = startup_send_sipi(startup_send_init(word), 0x10);
	assert_int_equal(take(take(word).after).vector, 0x10);
}

/* --- Every reachable word --- */

#define WORDS_MAX 4096u

static struct {
	u32 count;
	u32 at[WORDS_MAX];
} words;

static void reach(u32 word)
{
	for (u32 i = 0; i < words.count; i++)
		if (words.at[i] == word)
			return;
	assert_true(words.count < WORDS_MAX);
	words.at[words.count++] = word;
}

static void reach_all(void)
{
	words.count = 0;
	reach(STARTUP_WORD_HALTED);
	reach(STARTUP_WORD_RUN);
	for (u32 i = 0; i < words.count; i++) {
		u32 word = words.at[i];

		reach(startup_send_init(word));
		for (u32 vector = 0; vector < 256; vector++)
			reach(startup_send_sipi(word, (u8)vector));
		reach(take(word).after);
	}
}

/* Three states, INIT pending or not, no SIPI or one of 256, less SIPIs that nobody waits for. */
static void reachable_words(void **state)
{
	(void)state;
	reach_all();
	assert_int_equal(words.count, 3 * 2 + 256 * (3 + 1));
}

static void invariants_of_init(void **state)
{
	(void)state;
	reach_all();
	for (u32 i = 0; i < words.count; i++) {
		u32 word = words.at[i], sent = startup_send_init(word);
		struct taken t = take(sent);

		assert_int_equal(startup_state(sent), startup_state(word));
		assert_int_equal(startup_send_init(sent), sent);
		assert_int_equal(t.action, STARTUP_INIT);
		assert_int_equal(startup_state(t.after), STARTUP_WAIT);
		assert_int_equal(take(t.after).action, STARTUP_NOTHING);
	}
}

static void invariants_of_sipi(void **state)
{
	(void)state;
	reach_all();
	for (u32 i = 0; i < words.count; i++) {
		for (u32 vector = 0; vector < 256; vector++) {
			u32 word = words.at[i], sent = startup_send_sipi(word, (u8)vector);
			struct taken t = take(word);

			assert_int_equal(startup_state(sent), startup_state(word));
			/* A second one is lost, and none changes what comes first. */
			assert_int_equal(startup_send_sipi(sent, (u8)~vector), sent);
			if (t.action != STARTUP_NOTHING) {
				assert_int_equal(take(sent).action, t.action);
				assert_int_equal(take(sent).vector, t.vector);
			} else if (startup_state(word) == STARTUP_WAIT) {
				assert_int_equal(take(sent).action, STARTUP_START);
				assert_int_equal(take(sent).vector, vector);
			} else {
				assert_int_equal(sent, word);
			}
		}
	}
}

static void invariants_of_take(void **state)
{
	(void)state;
	reach_all();
	for (u32 i = 0; i < words.count; i++) {
		u32 word = words.at[i], steps = 0;
		struct taken t = take(word);

		switch (t.action) {
		case STARTUP_NOTHING:
			assert_int_equal(t.after, word);
			break;
		case STARTUP_INIT:
			assert_int_equal(startup_state(t.after), STARTUP_WAIT);
			break;
		case STARTUP_START:
			assert_int_equal(startup_state(word), STARTUP_WAIT);
			assert_int_equal(t.after, STARTUP_WORD_RUN);
			break;
		}
		/* The CPU gets to an end by itself: an INIT and a SIPI at most. */
		for (; take(word).action != STARTUP_NOTHING; steps++)
			word = take(word).after;
		assert_true(steps <= 2);
	}
}

/* Even from a word that nothing leads to: no start without waiting, and INIT before all. */
static void other_words(void **state)
{
	(void)state;
	for (u32 word = 0; word < 0x20000; word++) {
		struct taken t = take(word), init = take(startup_send_init(word));

		if (t.action == STARTUP_START)
			assert_int_equal(startup_state(word), STARTUP_WAIT);
		assert_int_equal(init.action, STARTUP_INIT);
		assert_int_equal(startup_state(init.after), STARTUP_WAIT);
	}
}

/* --- Every history of up to eight events, beside a model that remembers all that was sent --- */

enum { INIT, SIPI_A, SIPI_B, TAKE, EVENTS };

#define DEPTH 8

struct model {
	enum startup_state state;
	u32 sent; /* since what was last taken */
	u8 queue[DEPTH];
};

/* The last INIT counts, and of what came after it the first; without one only a waiter listens. */
static enum startup_action model_take(struct model *m, u8 *vector)
{
	u32 init = m->sent, sipi = 0;

	for (u32 i = 0; i < m->sent; i++)
		if (m->queue[i] == INIT)
			init = i;
	if (init < m->sent) {
		m->state = STARTUP_WAIT;
		m->sent -= init + 1;
		memmove(m->queue, m->queue + init + 1, m->sent);
		return STARTUP_INIT;
	}
	sipi = m->sent ? m->queue[0] : 0;
	m->sent = 0;
	if (!sipi || m->state != STARTUP_WAIT)
		return STARTUP_NOTHING;
	m->state = STARTUP_RUN;
	*vector = (u8)sipi;
	return STARTUP_START;
}

static void follow(u32 word, struct model model, u32 depth)
{
	assert_int_equal(startup_state(word), model.state);
	for (u32 event = 0; event < EVENTS && depth; event++) {
		struct model m = model;
		u8 vector = 0;

		if (event == TAKE) {
			struct taken t = take(word);

			assert_int_equal(t.action, model_take(&m, &vector));
			assert_int_equal(t.vector, vector);
			follow(t.after, m, depth - 1);
			continue;
		}
		/* A CPU that neither waits nor will: the SIPI is gone, not kept for later. */
		m.queue[m.sent++] = (u8)event;
		if (event != INIT && m.state != STARTUP_WAIT && !memchr(m.queue, INIT, m.sent))
			m.sent--;
		follow(event == INIT ? startup_send_init(word) : startup_send_sipi(word, (u8)event),
		       m, depth - 1);
	}
}

static void histories(void **state)
{
	struct model model = {.state = STARTUP_HALTED};

	(void)state;
	follow(STARTUP_WORD_HALTED, model, DEPTH);
	model.state = STARTUP_RUN;
	follow(STARTUP_WORD_RUN, model, DEPTH);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(the_usual_way),
	cmocka_unit_test(initial_words),
	cmocka_unit_test(all_sent_before_any_is_taken),
	cmocka_unit_test(init_drops_an_earlier_sipi),
	cmocka_unit_test(reachable_words),
	cmocka_unit_test(invariants_of_init),
	cmocka_unit_test(invariants_of_sipi),
	cmocka_unit_test(invariants_of_take),
	cmocka_unit_test(other_words),
	cmocka_unit_test(histories),
};

TEST_MAIN(tests)
