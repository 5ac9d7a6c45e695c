"""What the demo's models, units, inspections and bulletins are called and say: data about nobody."""

MODELS = {
    "to_lien_gia": "Tổ liên gia an toàn PCCC",
    "diem_chua_chay": "Điểm chữa cháy công cộng",
    "camera_an_ninh": "Camera an ninh",
    "to_tu_quan": "Tổ tự quản ANTT",
    "dong_ho_tu_quan": "Dòng họ tự quản",
    "cong_truong": "Cổng trường ATGT",
    "tu_quan_duong_bien": "Tổ tự quản đường biên, cột mốc",
    "to_bao_ve_antt": "Tổ bảo vệ ANTT",
    "to_hoa_giai": "Tổ hòa giải",
    "nhom_zalo": "Nhóm Zalo an ninh",
    "other": "Hòm thư góp ý về an ninh, trật tự",
}
NOTE = "Hai điểm ít hoạt động từ quý trước; cần kiện toàn và bổ sung dụng cụ."

ONE_ITEM_MORE = {
    "id": "extinguisher_dates",
    "kind": "yes_no",
    "label": "Bình chữa cháy còn hạn kiểm định",
    "source": "Đề xuất của xã sau đợt kiểm tra đầu",
    "required": True,
    "good": {"equals": True},
    "points": 1,
}

UNITS = (
    ("Trường THCS Nà Mây", "school", True),
    ("Trường Tiểu học Nà Mây", "school", False),
    ("Trạm Y tế xã Nà Mây", "agency", True),
    ("Ủy ban nhân dân xã Nà Mây", "agency", True),
    ("Hợp tác xã Hồi Nà Mây", "enterprise", True),
    ("Trường Mầm non Nà Mây", "school", False),
    ("Điểm bưu điện văn hóa xã", "agency", True),
    ("Cửa hàng vật tư nông nghiệp Nà Mây", "enterprise", False),
    ("Trường THPT Nà Mây", "school", True),
)
SIGNERS = ("Lường Văn Thuận", "Hà Thị Nhung", "Mã Văn Kiên")
TITLES = {"school": "Hiệu trưởng", "agency": "Trưởng cơ quan", "enterprise": "Giám đốc"}

FINDINGS = (
    ("Một bình chữa cháy đã hết hạn kiểm định.", "Nạp lại bình chữa cháy"),
    ("Chuông ở đầu ngõ kêu nhỏ.", "Thay pin và thử lại chuông"),
    ("Một mắt camera mờ khi trời tối.", "Lau và chỉnh lại mắt camera"),
    ("Biển chỉ dẫn bị che khuất.", "Phát quang và dựng lại biển"),
    ("Thiếu đèn pin và còi cho tổ tuần tra.", "Bổ sung đèn pin và còi"),
)
FAULT = "Nút ấn ở giữa ngõ bị kẹt"
CORRECTED = "Đã kiểm tra lại: thiết bị hoạt động bình thường."

PLACES = ("Nhà văn hóa thôn {hamlet}", "Sân trường THCS Nà Mây", "Chợ phiên Nà Mây", "Sân UBND xã")
OUTREACH_NOTE = "Có loa kéo và tờ rơi; cần thêm tờ rơi tiếng Tày."

COMMENTS = {
    "pledge": ("sheet", "Đối chiếu với tờ ký ở cuộc họp: số tờ hoặc ngày chưa khớp."),
    "unit": ("name", "Ghi đúng tên gọi chính thức của đơn vị."),
    "inspection": ("incomplete", "Trả lời bổ sung các mục còn thiếu."),
    "outreach": ("present", "Kiểm tra lại số người dự."),
}

BULLETINS = (
    (
        "Ra quân đợt cam kết",
        "Mỗi người đi theo danh sách của thôn mình. Nhà đi vắng thì ghi “Vắng nhà” rồi hẹn lại.",
        -35,
        14,
        0,
    ),
    (
        "Kiểm tra bình chữa cháy trước mùa khô",
        "Tuần này mời các tổ liên gia kiểm tra hạn của bình và thử chuông.\n"
        "Chỉ chụp thiết bị, không chụp người.",
        -3,
        14,
        0,
    ),
    (
        "Họp thôn tối thứ sáu",
        "19 giờ 30 tại nhà văn hóa. Nhớ mang tờ ký cam kết có đánh số.",
        -1,
        5,
        4,
    ),
    (
        "Ngày hội Toàn dân bảo vệ an ninh Tổ quốc",
        "Chuẩn bị số liệu của thôn: số hộ đã ký, số buổi tuyên truyền, số mô hình.",
        12,
        20,
        0,
    ),
)
