"""Whether a word could be a Vietnamese syllable: an onset, a rime, a tone. Names are made of syllables."""

import re
import unicodedata
from functools import lru_cache

_ONSET_LIST = "b c ch d đ g gh gi h k kh l m n ng ngh nh p ph qu r s t th tr v x"
_RIME_LIST = """
a ac ach ai am an ang anh ao ap at au ay  ăc ăm ăn ăng ăp ăt  âc âm ân âng âp ât âu ây
e ec em en eng eo ep et  ê êch êm ên ênh êp êt êu
i ia ich im in inh ip it iu iêc iêm iên iêng iêp iêt iêu  y ych yêm yên yêng yêt yêu ynh yt
o oc oi om on ong op ot oa oac oach oai oam oan oang oanh oao oap oat oay oăc oăm oăn oăng oăt
oe oen oeo oet ooc oong  ô ôc ôi ôm ôn ông ôp ôt  ơ ơi ơm ơn ơp ơt
u ua uc ui um un ung up ut uê uêch uênh uơ uy uya uych uyn uynh uyt uyu uyên uyêt uân uâng uât uây
uôc uôi uôm uôn uông uôt  ư ưa ưc ưi ưm ưn ưng ưt ưu ươc ươi ươm ươn ương ươp ươt ươu
ưng êng
"""
_ONSETS = frozenset(["", *_ONSET_LIST.split()])
_RIMES = frozenset(_RIME_LIST.split())
_TONES = "\u0300\u0301\u0303\u0309\u0323"
_MISPLACED = re.compile(f"[^aeiouy\u0302\u0306\u031b][{_TONES}]")
"""A tone on a consonant: ñ is no letter of Vietnamese."""
_STRIP = dict.fromkeys(map(ord, _TONES))


@lru_cache(maxsize=20_000)
def possible(word: str) -> bool:
    """Whether the word is built as a Vietnamese syllable is (with or without its tone)."""
    spread = unicodedata.normalize("NFD", word.lower())
    if sum(spread.count(tone) for tone in _TONES) > 1 or _MISPLACED.search(spread):
        return False
    plain = unicodedata.normalize("NFC", spread.translate(_STRIP))
    if plain.endswith(("c", "ch", "p", "t")) and not ("\u0301" in spread or "\u0323" in spread):
        return False  # a stopped syllable is sắc or nặng
    return any(_fits(plain[:cut], plain[cut:]) for cut in range(min(4, len(plain))))


def _fits(onset: str, rime: str) -> bool:
    if onset == "qu" and rime[:1] in ("o", "u"):
        return False  # the u of "qu" is that glide already
    return onset in _ONSETS and rime in _RIMES
