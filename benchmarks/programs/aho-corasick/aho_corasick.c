// Many words at once: an automaton of all of them reads a text and counts where they end.
// Source: Aho, Corasick, "Efficient string matching", 1975.
#include "../program.h"

enum { N_LETTERS = 26 };

struct state {
  int next[N_LETTERS], failure, n_ending; // words that end here, also by way of `failure`
};

struct automaton {
  struct state *states;
  int n_states;
};

static void add_word(struct automaton *automaton, const char *word) {
  int at = 0;
  for (; *word; word++) {
    int *next = &automaton->states[at].next[*word - 'a'];
    if (*next == 0)
      *next = automaton->n_states++;
    at = *next;
  }
  automaton->states[at].n_ending++;
}

// Breadth first: the failure of a state is nearer to the start than the state.
static void connect(struct automaton *automaton) {
  struct state *states = automaton->states;
  int *queue = (int *)allocate((size_t)automaton->n_states, sizeof *queue), head = 0, tail = 0;
  for (int letter = 0; letter < N_LETTERS; letter++)
    if (states[0].next[letter])
      queue[tail++] = states[0].next[letter];
  while (head < tail) {
    struct state *state = &states[queue[head++]];
    state->n_ending += states[state->failure].n_ending;
    for (int letter = 0; letter < N_LETTERS; letter++) {
      int fallback = states[state->failure].next[letter];
      if (state->next[letter]) {
        states[state->next[letter]].failure = fallback;
        queue[tail++] = state->next[letter];
      } else {
        state->next[letter] = fallback;
      }
    }
  }
  free(queue);
}

static uint64_t count_words(const struct automaton *automaton, const char *text, size_t size) {
  uint64_t count = 0;
  int at = 0;
  for (size_t i = 0; i < size; i++) {
    at = text[i] == ' ' ? 0 : automaton->states[at].next[text[i] - 'a'];
    count += (uint64_t)automaton->states[at].n_ending;
  }
  return count;
}

int main(int argc, char **argv) {
  size_t size = (size_t)argument(argc, argv, 1) * 1000;
  enum { N_WORDS = 400, MAX_LENGTH = 9 };
  struct automaton automaton = {(struct state *)allocate(N_WORDS * MAX_LENGTH + 1, sizeof(struct state)), 1};
  char *text = (char *)allocate(size, 1), word[MAX_LENGTH + 1];
  uint64_t seed = 1;
  for (int i = 0; i < N_WORDS; i++) {
    int length = 2 + (int)random_below(&seed, MAX_LENGTH - 1);
    for (int k = 0; k < length; k++)
      word[k] = (char)('a' + random_below(&seed, 1 + random_below(&seed, N_LETTERS)));
    word[length] = 0;
    add_word(&automaton, word);
  }
  connect(&automaton);
  for (size_t i = 0; i < size; i++)
    text[i] = random_below(&seed, 12) ? (char)('a' + random_below(&seed, 1 + random_below(&seed, N_LETTERS))) : ' ';
  printf("states %d found %" PRIu64 "\n", automaton.n_states, count_words(&automaton, text, size));
  free(text);
  free(automaton.states);
}
