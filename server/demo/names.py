"""Names for the demo commune: made up from common parts, of nobody in particular.

Hamlets of the border are of different peoples, so their households' names differ too. Which people a
household is of is decided nowhere and stored nowhere; a hamlet only draws its family names from more than
one pool.
"""

from random import Random

NUNG = ("Nông", "Hoàng", "Lương", "Vi", "Triệu", "Hứa", "Lý", "Mông", "Lộc", "Phùng", "Linh", "Chu")
TAY = ("Hoàng", "Nông", "Đinh", "Bế", "Đàm", "Lương", "Hà", "Ma", "Lục", "Dương", "Lý", "Vi")
KINH = ("Nguyễn", "Trần", "Phạm", "Lê", "Vũ", "Đỗ", "Bùi", "Ngô", "Phan", "Đặng")

_MIDDLE = ("Văn", "Văn", "Văn", "Văn", "Đức", "Quang", "Minh", "Xuân", "Hữu", "Đình", "Ngọc", "Thanh")
_MIDDLE_F = ("Thị", "Thị", "Thị", "Thị", "Thị", "Thị", "Ngọc", "Thu", "Bích")
_GIVEN = (
    "An", "Ánh", "Bảo", "Bằng", "Bình", "Chiến", "Chung", "Cường", "Dũng", "Đạt", "Điệp", "Định", "Đức",
    "Giang", "Hải", "Hiếu", "Hòa", "Hoan", "Hợp", "Hùng", "Hưng", "Khánh", "Khoa", "Kiên", "Lâm",
    "Long", "Lợi", "Lực", "Mạnh", "Nam", "Nghĩa", "Phong", "Phúc", "Quân", "Quý", "Sơn", "Tài", "Tâm",
    "Thái", "Thắng", "Thành", "Thiện", "Thịnh", "Thuận", "Tiến", "Toàn", "Trung", "Tuấn", "Tùng",
    "Tường", "Việt", "Vinh", "Vượng", "Ỷ",
)  # fmt: skip
_GIVEN_F = (
    "Bích", "Chanh", "Chi", "Dung", "Đào", "Điệp", "Hà", "Hạnh", "Hằng", "Hiền", "Hoa", "Hòa", "Hồng",
    "Huệ", "Hương", "Lan", "Liên", "Linh", "Loan", "Mai", "Mến", "Minh", "Mơ", "Nga", "Ngân", "Nhung",
    "Nọi", "Oanh", "Phương", "Phượng", "Quyên", "Sen", "Slao", "Sương", "Tâm", "Thảo", "Thắm", "Thơm",
    "Thu", "Thủy", "Tuyết", "Vân", "Xuân", "Ý", "Yến",
)  # fmt: skip

HAMLETS = (
    "Nà Lầu", "Bản Pó", "Khuổi Nọi", "Pác Ảng", "Lũng Vài", "Nà Mò", "Khuổi Slin", "Bản Chang", "Cốc Lải",
    "Pò Nhùng", "Kéo Tao", "Nà Sla", "Bó Mịn", "Phai Đeng", "Thâm Lựng", "Co Mười", "Nà Kéo",
)  # fmt: skip
LANES = ("Xóm Trên", "Xóm Dưới", "Xóm Giữa", "Xóm Đình", "Xóm Bờ Suối")


def families(random: Random) -> tuple[str, ...]:
    """The family names of one hamlet: most of it is of two pools, a few of the third."""
    first, second, third = random.sample((NUNG, TAY, KINH), 3)
    return first[:8] * 4 + second[:6] * 2 + third[:4]


def person(random: Random, pool: tuple[str, ...], *, women: float = 0.25) -> str:
    """A full name."""
    family = random.choice(pool)
    if random.random() < women:
        return f"{family} {random.choice(_MIDDLE_F)} {random.choice(_GIVEN_F)}"
    return f"{family} {random.choice(_MIDDLE)} {random.choice(_GIVEN)}"
