"""Templates in the language of Go; what Ollama makes of these was measured with version 0.9.3."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.chat.messages import Message, Role
from bot.llm.templates import UniformTemplate

SYSTEM, USER, ASSISTANT = Role.SYSTEM, Role.USER, Role.ASSISTANT
CHATML = "{{- range .Messages }}<|im_start|>{{ .Role }}\n{{ .Content }}<|im_end|>\n{{ end }}<|im_start|>assistant\n"
LLAMA3 = (
    "{{- range .Messages }}<|start_header_id|>{{ .Role }}<|end_header_id|>\n\n{{ .Content }}<|eot_id|>\n{{- end }}"
    "<|start_header_id|>assistant<|end_header_id|>\n\n"
)
BRANCHES = (
    '{{- range .Messages }}\n{{- if eq .Role "system" }}Rules: {{ .Content }}\n{{ continue }}\n'
    '{{- else if eq .Role "user" }}You:\n{{- else if eq .Role "assistant" }}Me:\n{{- end }}\n'
    "{{ .Content }}\n{{ end }}Me:\n"
)
INSTRUCT = (
    '[INST] {{ range $index, $_ := .Messages }}\n{{- if eq .Role "system" }}{{ .Content }}\n\n'
    '{{ else if eq .Role "user" }}{{ .Content }}[/INST]\n{{- else if eq .Role "assistant" }} {{ .Content }}</s>[INST] '
    "{{ end }}\n{{- end }}"
)
TRIMS = (
    "{{- range $i, $m := .Messages -}}\n\n<|im_start|>   {{- .Role -}}   \n:\n  {{ .Content -}}\n "
    '{{ if eq .Role "user" }} U {{ else if eq .Role "system" }} S {{- else }} E {{ end -}} |\n {{ continue }} never '
    "{{ end -}}\n<|im_start|>assistant:\n"
)


def talk(*said: tuple[Role, str]) -> list[Message]:
    return [Message(role, text) for role, text in said]


PROMPTS = {
    CHATML: "<|im_start|>system\nBe kind.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n"
    "<|im_start|>assistant\nYes.<|im_end|>\n<|im_start|>user\nWhy?<|im_end|>\n<|im_start|>assistant\nBecau",
    LLAMA3: "<|start_header_id|>system<|end_header_id|>\n\nBe kind.<|eot_id|>"
    "<|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>"
    "<|start_header_id|>assistant<|end_header_id|>\n\nYes.<|eot_id|>"
    "<|start_header_id|>user<|end_header_id|>\n\nWhy?<|eot_id|>"
    "<|start_header_id|>assistant<|end_header_id|>\n\nBecau",
    BRANCHES: "Rules: Be kind.\nYou:\nHi\nMe:\nYes.\nYou:\nWhy?\nMe:\nBecau",
    INSTRUCT: "[INST] Be kind.\n\nHi[/INST] Yes.</s>[INST] Why?[/INST] Becau",
    TRIMS: "<|im_start|>system:\n  Be kind. S|\n <|im_start|>user:\n  Hi U |\n <|im_start|>assistant:\n  Yes. E |\n "
    "<|im_start|>user:\n  Why? U |\n <|im_start|>assistant:\n  Becau",
}


@pytest.mark.parametrize("template", PROMPTS)
def test_a_conversation_is_written_as_ollama_does_with_its_last_message_open(template: str) -> None:
    found = UniformTemplate.read(template)

    assert found
    said = talk((SYSTEM, "Be kind."), (USER, "Hi"), (ASSISTANT, "Yes."), (USER, "Why?"), (ASSISTANT, "Becau"))
    assert found.left_open(said) == PROMPTS[template]


def loop(body: str = "{{ .Role }}: {{ .Content }}\n", end: str = "{{ end }}", after: str = "assistant: ") -> str:
    return f"{{{{ range .Messages }}}}{body}{end}{after}"


NOT_UNDERSTOOD = {
    "none": "",
    "Ollama's default": "{{ .Prompt }}",
    "the old form, which leaves the last message open by itself": (
        "{{ if .System }}<|system|>{{ .System }}{{ end }}{{ if .Prompt }}<|user|>{{ .Prompt }}{{ end }}"
        "<|assistant|>{{ .Response }}"
    ),
    "a newer one that does so": (
        "{{- range $i, $_ := .Messages }}{{- $last := eq (len (slice $.Messages $i)) 1 }}<|im_start|>{{ .Role }}\n"
        "{{ .Content }}{{ if not $last }}<|im_end|>\n{{ end }}{{ end }}"
    ),
    "variables": '{{ $rules := "" }}' + loop("{{ .Role }}: {{ .Content }}{{ $rules = .Content }}"),
    "tools in front": "{{ if .Tools }}tools{{ end }}" + loop(),
    "something after the answer's beginning": loop(after="assistant: {{ .Response }}"),
    "answers that begin in another way": loop(after="model: "),
    "no beginning of an answer": loop(after=""),
    "two loops": loop(after="") + loop(),
    "a loop without an end": loop(end=""),
    "a loop with an else": loop(end="{{ else }}x{{ end }}"),
    "a loop over something else": loop().replace(".Messages", ".Tools"),
    "a comment": loop("{{ .Role }}: {{ .Content }}{{/* a */}}"),
    "answers said twice": loop("{{ .Role }}: {{ .Content }}{{ .Content }}"),
    "answers left out": loop('{{ if eq .Role "user" }}{{ .Content }}{{ end }}', after=""),
    "break": loop("{{ .Role }}: {{ break }}{{ .Content }}"),
    "another condition": loop('{{ .Role }}: {{ if eq .Role "user" "system" }}{{ end }}{{ .Content }}'),
    "with": loop("{{ .Role }}: {{ with .Content }}{{ . }}{{ end }}"),
    "another language": "{% for message in messages %}{{ '<|im_start|>' + message['role'] }}{% endfor %}<|im_start|>",
}


@pytest.mark.parametrize("what", NOT_UNDERSTOOD)
def test_what_is_not_certainly_understood_is_left_to_ollama(what: str) -> None:
    assert UniformTemplate.read(loop())
    assert UniformTemplate.read(NOT_UNDERSTOOD[what]) is None


def test_what_one_says_several_times_in_a_row_is_one_message() -> None:
    template = UniformTemplate.read(loop("{{ .Role }}({{ .Content }}) ", after="assistant("))

    assert template
    said = talk((SYSTEM, "A"), (USER, "B"), (USER, "C"), (ASSISTANT, "D"), (ASSISTANT, "E"))
    assert template.left_open(said) == "system(A) user(B\n\nC) assistant(D\n\nE"


def test_only_an_answer_can_go_on() -> None:
    template = UniformTemplate.read(CHATML)

    assert template
    with pytest.raises(ValueError, match="only the assistant's own message"):
        template.left_open(talk((USER, "Hi")))


# Without braces, which only templates have a use for, and with blanks inside only: trimming is tested above.
literals = st.text(st.sampled_from("ab<|/]\näß -"), max_size=9).map(str.strip)
texts = st.text(max_size=20)


@given(
    around=st.fixed_dictionaries({role: st.tuples(literals, literals) for role in Role}),
    head=literals,
    blanks=st.lists(st.text(" \n\t", min_size=1, max_size=3), min_size=6, max_size=6),
    pairs=st.lists(st.tuples(texts, texts), max_size=3),
    rules=texts,
    begun=texts,
)
def test_any_words_round_the_messages_come_out_where_they_stand(
    around: dict[Role, tuple[str, str]],
    head: str,
    blanks: list[str],
    pairs: list[tuple[str, str]],
    rules: str,
    begun: str,
) -> None:
    one, two, three, four, five, six = blanks
    written = {role: f"{before}{{{{.Content{one}}}}}{after}" for role, (before, after) in around.items()}
    template = UniformTemplate.read(
        f"{head}{two}{{{{- range{three}.Messages -}}}}{two}"
        f'{{{{-{four}if eq .Role "system" }}}}{written[SYSTEM]}{{{{ else{five}if eq .Role "user" -}}}}{six}'
        f"{written[USER]}{one}{{{{- else }}}}{written[ASSISTANT]}{{{{ end }}}}{six}"
        f"{{{{- end -}}}}{three}{around[ASSISTANT][0]}"
    )

    turns = [(USER, "Begin."), *(turn for said, more in pairs for turn in ((ASSISTANT, said), (USER, more)))]
    said = [(SYSTEM, rules), *turns]
    whole = "".join(around[role][0] + text + around[role][1] for role, text in said)
    assert template
    assert template.left_open(talk(*said, (ASSISTANT, begun))) == head + whole + around[ASSISTANT][0] + begun
