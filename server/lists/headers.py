"""What a column header says: which columns are taken, which are left out, and why.

Headers are compared folded (`server.names.fold`), so that "HỌ VÀ TÊN CHỦ HỘ", "Ho va ten chu ho" and
"Họ và tên, chủ hộ" are one.
"""

import re
from typing import Final

from server.names import fold

NUMBER: Final = "number"
NAME: Final = "name"
FAMILY: Final = "family"
GIVEN: Final = "given"
HAMLET: Final = "hamlet"
HOUSE: Final = "house"
LANE: Final = "lane"
ADDRESS: Final = "address"
RELATION: Final = "relation"
ROLES: Final = (NAME, FAMILY, GIVEN, HAMLET, HOUSE, LANE, ADDRESS, RELATION, NUMBER)
"""What a column can be taken for. NUMBER and RELATION only tell rows apart; they are not stored."""

KINDS: Final = (
    "tổ dân phố", "khu phố", "khối phố", "tiểu khu", "thôn", "bản", "xóm", "làng", "ấp", "buôn", "khóm",
    "phum", "sóc", "bon",
)  # fmt: skip
"""Words before a hamlet's name, the longest first (schemas/hamlet.json)."""

_AREA = (
    "(?:thon|ban|xom|lang|ap|buon|khom|phum|soc|bon|to dan pho|tdp|khu pho|khoi pho|tieu khu"
    "|kdc|khu dan cu|to|khu|cum dan cu|don vi)"
)

_LANE = "(?:ngo|ngach|hem|duong|pho|duong pho|khu vuc|cum)"

# Tried from the top; the first that fits the whole folded header decides.
_RULES: Final = tuple(
    (re.compile(pattern), role)
    for pattern, role in (
        (r"(stt|tt|so tt|so thu tu|thu tu|no|so)( ho)?( \d+)?", NUMBER),
        (r"(moi )?(quan he|qh)( (voi|vs))?( chu ho| ch)?", RELATION),
        (r"(ho (va )?ten )?(nguoi )?(chu ho|dai dien)( gia dinh| ho( gia dinh)?)?( ho (va )?ten)?", NAME),
        (r"(ho|ten|ho (va )?ten)( cua)? (chu ho|chu nha|nguoi dai dien)( gia dinh| ho gia dinh)?", NAME),
        (r"(ten )?ho( gia dinh| dan)", NAME),
        (r"(ho (va )?ten|ho ten|ten ho|hoten|ho va ten (ong|chu) ba)( ong ba| chu ho)?", NAME),
        (r"ho( va|,)?( ten| chu)? (dem|lot)|ho va dem|ho lot|ho", FAMILY),
        (r"ten", GIVEN),
        (r"(so nha|nha so|so|sn)( nha)?( hien tai)?", HOUSE),
        (rf"xom nho|{_LANE}( ({_LANE}|xom nho))*", LANE),
        (r"(nhom|to) (ho|lien gia|tu quan)", LANE),
        (rf"(ten |thuoc |o )?{_AREA}( {_AREA})*( xa)?", HAMLET),
        (r"(so nha )?(dia chi|noi o|noi cu tru|cho o|noi thuong tru|ho khau thuong tru)( .*)?", ADDRESS),
    )
)  # fmt: skip

# Columns that the product may not hold (design, section 2), or does not need; words under `lists.left_out.`.
_KEPT_OUT: Final = tuple(
    (re.compile(pattern), why)
    for pattern, why in (
        (r"\b(cccd|cmnd|cmtnd|cmt|can cuoc|dinh danh|ddcn|ho chieu|ho khau|shk|ma so thue|bhyt)\b", "id"),
        (r"\b(ngay( thang)?( nam)? sinh|nam sinh|sinh nam|ngay sinh|tuoi|ns)\b|^sinh$", "birth"),
        (r"\b(sdt|dt|dtdd|dien thoai|zalo|facebook|email|thu dien tu|phone|lien he|di dong)\b", "contact"),
        (r"\bdan toc\b|^dt$", "ethnicity"),
        (r"\b(ton giao|dao|tin nguong)\b", "religion"),
        (r"\b(gioi tinh|nam nu|gioi)\b|^(nam|nu)$", "gender"),
        (r"\b(nhan khau|khau|thanh vien|so nguoi|vo|chong|con|ho (va )?ten|lao dong)\b", "members"),
        (r"\b(ngheo|chinh sach|thu nhap|kinh te|tro cap|nguoi co cong|hoan canh|dien)\b", "means"),
        (r"\b(dang vien|doan vien|chinh tri|hoi vien|chuc vu|to chuc|trinh do|van hoa)\b", "views"),
        (r"\b(tien an|tien su|vi pham|nghien|ma tuy|doi tuong|quan ly)\b", "offences"),
        (r"\b(toa do|gps|kinh do|vi do|ban do)\b", "position"),
        (r"\b(anh|hinh|van tay|chu ky|ky ten|ky|xac nhan|diem chi)\b", "signature"),
        (r"\b(ghi chu|nhan xet|luu y|ghi chep|chu thich)\b", "remarks"),
        (r"\b(xa|huyen|tinh|thanh pho|phuong|thi tran|quoc gia|quan|que quan)\b", "area"),
        (r"\b(nghe|nghe nghiep|cong viec|noi lam viec|lam viec)\b", "work"),
    )
)  # fmt: skip


def role(header: str) -> str | None:
    """The role of a column by its header; None where it is none of `ROLES`."""
    folded = re.sub(r"^\d+ | \d+$", "", fold(re.sub(r"\(.*?\)", " ", header)) or fold(header))
    if not folded or any(pattern.search(folded) for pattern, why in _KEPT_OUT if why in _DECISIVE):
        return None
    return next((found for pattern, found in _RULES if pattern.fullmatch(folded)), None)


_DECISIVE: Final = frozenset({"id", "birth", "contact", "ethnicity", "religion", "signature"})


def why_left_out(header: str) -> str:
    """Why a column that has no role is not taken: a word key under `lists.left_out.`."""
    folded = fold(header)
    return next((why for pattern, why in _KEPT_OUT if pattern.search(folded)), "other")


def is_hamlet_word(header: str) -> bool:
    """Whether the header names the hamlet proper rather than a small lane that shares the word "xóm"."""
    return not re.fullmatch(r"(ten )?(xom|to|khu|cum dan cu)", fold(header))


def split_kind(text: str) -> tuple[str | None, str]:
    """The kind word and the name of a hamlet as it is written; None where no kind stands before the name.

    >>> split_kind("THÔN Nà Lầu")
    ('thôn', 'Nà Lầu')
    >>> split_kind("Lang Văn Hà")
    (None, 'Lang Văn Hà')
    """
    words = text.split()
    plain = text.isascii()
    for kind in KINDS:
        length = len(kind.split())
        head = " ".join(words[:length]).lower().rstrip(":.")
        if len(words) > length and (head == kind or (plain and head == fold(kind))):
            return kind, " ".join(words[length:])
    if len(words) > 1 and words[0].lower().rstrip(".") == "tdp":
        return "tổ dân phố", " ".join(words[1:])
    return None, text
